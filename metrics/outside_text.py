"""Escapes text from outside (names of files and methods, messages of libraries) for the place where it is shown.

Terminals obey control characters, spreadsheets compute cells that begin like formulas, browsers follow HTML in
markdown, LaTeX runs commands. Names in messages, tables and figures pass through one of these functions. Python's JSON
writer escapes text by itself.
"""

import re
import unicodedata

FORMULA = "=+-@|%\uff1d\uff0b\uff0d\uff20"  # first characters of a formula; the last four are full-width forms
SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
ENTITIES = str.maketrans({c: f"&#{ord(c)};" for c in "`[]*"} | {"<": "&lt;", ">": "&gt;", "|": "/"})
LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "↑": r"$\uparrow$", "↓": r"$\downarrow$",
})  # fmt: skip


def shown(text: object) -> str:
    r"""Return `text` in one line, with every unprintable character escaped, for example \x1b, \n or \u202e.

    Unprintable are control characters, line separators, marks that change the direction of writing, characters without
    a glyph, and bytes of a file name that are not UTF-8 (\xff). The result can be encoded in any Unicode encoding.
    """
    plain = str(text)
    return plain if plain.isprintable() else "".join(c if _prints(c) else _escape(c) for c in plain)


def in_markdown(name: str) -> str:
    """Return a name escaped for markdown: it cannot become HTML, a link, code or a new table cell."""
    return re.sub(r"&(?=#?\w+;)", "&amp;", _on_one_line(name)).translate(ENTITIES)


def line_in_markdown(text: str) -> str:
    """Return a sentence that may contain names, escaped for markdown: no HTML, links or code, but brackets stay."""
    plain = re.sub(r"&(?=#?\w+;)", "&amp;", _on_one_line(text))
    plain = plain.replace("<", "&lt;").replace(">", "&gt;").replace("`", "&#96;")
    return re.sub(r"\](?=[(\[:])", "&#93;", plain)


def in_csv(value: object) -> object:
    """Return a value as a CSV cell. Text that a spreadsheet would compute gets a leading apostrophe.

    Numbers and None are returned unchanged.
    """
    if not isinstance(value, str):
        return value
    text = shown(value)
    return f"'{text}" if text.lstrip()[:1] in tuple(FORMULA) else text


def in_latex(text: str) -> str:
    """Return text escaped for LaTeX, also against being read as an option of the row end before it (`[1cm]`, `*`)."""
    plain = _on_one_line(text).translate(LATEX)
    return f"{{}}{plain}" if plain[:1] in ("[", "*") else plain


def comment_in_latex(text: str) -> str:
    """Return text as a LaTeX comment of one line."""
    return f"% {_on_one_line(text)}"


def _on_one_line(text: str) -> str:
    return shown(re.sub(r"[ \t\r\n]+", " ", text.strip(" \t\r\n")))


def _prints(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"  # spaces of other scripts


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # Python's stand-in for a byte that is not UTF-8
        code -= 0xDC00
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return SHORT.get(character, f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
