"""benchmarks/speed.py: rows that are kept over runs, drawn, and refused where they are not ours."""

import json

import pytest
import speed

RUN = ["--tasks", "ivf", "--sizes", "16", "--repeats", "1"]


@pytest.mark.slow
def test_rows_are_kept_over_runs(tmp_path, capsys):
    kept, picture = tmp_path / "speed.json", tmp_path / "speed.png"
    threads = speed.torch.get_num_threads()
    rows = speed.main([*RUN, "--cold", "--threads", "1", "--keep", str(kept), "--plot", str(picture)])
    assert speed.torch.get_num_threads() == threads
    found = {row["variant"]: row for row in rows}
    assert {"plain", "ours"} <= set(found)
    for row in rows:
        assert row["difference"] < 1e-5
        assert row["cpu_seconds"] > 0
        assert row["threads"] == 1
    for variant in ("plain", "ours"):
        assert found[variant]["whole_seconds"] > found[variant]["seconds"]
        assert found[variant]["process_peak_MB"] is None or found[variant]["process_peak_MB"] > 50
    assert picture.read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().out
    assert "its peak MB" in said
    again = [{**row, "seconds": 7.0} for row in rows] + [{**rows[0], "size": [24, 24]}]
    together = speed.joined(json.loads(kept.read_text())["rows"], again)
    assert len(together) == len(rows) + 1
    assert [row["seconds"] for row in together][:-1] == [7.0] * len(rows)


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--cold", "--training"], "--cold: found with --training"), (["--keep", "FILE"], "expected the rows")],
)
def test_refused_before_anything_is_measured(options, said, tmp_path):
    other = tmp_path / "other.json"
    other.write_text('{"rows": [1]}')
    options = [str(other) if option == "FILE" else option for option in options]
    with pytest.raises(speed.UsageError, match=said):
        speed.main([*RUN, *options])
    assert other.read_text() == '{"rows": [1]}'
