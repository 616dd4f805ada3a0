"""The project's own pages: every link of theirs leads somewhere, every file that they name is there."""

import re
from pathlib import Path

import pytest
from document_commands import DOCUMENTS, ROOT

MOST_LINES = 180  # of README
FOLDERS = "models|utils|data|metrics|tests|benchmarks|pretrained|docs|notebooks"
PAGES = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.md"), *(p for folder in FOLDERS.split("|") for p in (ROOT / folder).rglob("*.md")))
)


def links(text):
    """The targets of links and pictures, those of code blocks aside."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return re.findall(r"\]\(([^)\s]+)\)|<(https?://[^>\s]+)>", text)


def anchors(text):
    """What headings are reached by, as GitHub and its like make it of them."""
    heads = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def lost(page, text, root=ROOT):
    """The links of a page that lead nowhere."""
    found = []
    for inner, outer in links(text):
        target = inner or outer
        if target.startswith(("https://", "http://127.0.0.1:")):
            continue
        file, _, anchor = target.partition("#")
        place = (root / page).parent / file if file else root / page
        if not place.exists() or (anchor and anchor not in anchors(place.read_text(encoding="utf-8"))):
            found.append(target)
    return found


def test_there_are_pages():
    assert {Path("README.md"), Path("docs/results.md"), Path("pretrained/hmf.md")} <= set(PAGES)
    assert len(PAGES) > 20


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_of_a_page_lead_somewhere(page):
    assert lost(page, (ROOT / page).read_text(encoding="utf-8")) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    (tmp_path / "a.md").write_text("# One, two\n## c\n")
    links_of_it = "a.md a.md#one-two a.md#two b.md #here #there ftp://a https://a.b"
    text = "# Here\n" + " ".join(f"[x]({target})" for target in links_of_it.split())
    (tmp_path / "page.md").write_text(text)
    assert lost("page.md", text, tmp_path) == ["a.md#two", "b.md", "#there", "ftp://a"]


@pytest.mark.parametrize("page", [*DOCUMENTS, "CONTRIBUTING.md", "data/README.md"])
def test_files_that_a_page_names_are_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for file in re.findall(rf"`((?:{FOLDERS})/[\w/.]+\.\w+)`", text):
        assert (ROOT / file).is_file(), file


def test_every_page_of_docs_is_reached_from_the_readme():
    reached = {target for target, _ in links(DOCUMENTS["README.md"])}
    assert {page for page in DOCUMENTS if page.startswith("docs/")} <= {target.partition("#")[0] for target in reached}


def test_the_readme_is_short():
    assert len(DOCUMENTS["README.md"].splitlines()) <= MOST_LINES


def test_what_is_to_be_cited_is_said_alike():
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```bibtex\n(.*?)^```", DOCUMENTS["README.md"], flags=re.M | re.S)
    for key in ("title", "doi", "year", "volume", "journal"):
        value = re.findall(rf"^  {key}: (.*)$", cited, flags=re.M)[0]
        assert f"{key} = {{{value}}}" in block
    for name in re.findall(r"family-names: (.*)", cited):
        assert f"{name}, " in block
