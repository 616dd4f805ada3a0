"""The command itself: options, and what is said where it cannot start."""

import importlib.util
import runpy
import socket
import sys
from pathlib import Path

import pytest

DEMO = str(Path(__file__).resolve().parents[2] / "demo.py")


def ends(monkeypatch, capsys, *options):
    """Exit code and standard error of demo.py with these options."""
    monkeypatch.setattr(sys, "argv", ["demo.py", *options])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(DEMO, run_name="__main__")
    return stop.value.code, capsys.readouterr().err


def test_without_gradio_one_line_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    code, said = ends(monkeypatch, capsys)
    assert code == 2
    assert said == "demo.py: found no gradio, expected it: pip install -r requirements-demo.txt\n"


def test_ports_are_numbers(monkeypatch, capsys):
    code, said = ends(monkeypatch, capsys, "--port", "0")
    assert code == 2
    assert "found 0, expected a whole number from 1 to 65535" in said


def test_a_port_that_is_taken_is_one_line(monkeypatch, capsys):
    pytest.importorskip("gradio", reason="requirements-demo.txt is not installed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = ends(monkeypatch, capsys, "--port", str(port))
    assert code == 2
    assert said.startswith(f"demo.py: --host 127.0.0.1 --port {port}: found")
    assert said.count("\n") == 1


def test_an_address_that_is_not_here_is_one_line(monkeypatch, capsys):
    pytest.importorskip("gradio", reason="requirements-demo.txt is not installed")
    code, said = ends(monkeypatch, capsys, "--host", "192.0.2.1", "--port", "7999")
    assert code == 2
    assert said.startswith("demo.py: --host 192.0.2.1 --port 7999: found")
    assert said.count("\n") == 1
