"""Text from outside (names of files and methods, messages of libraries), made harmless for where it is shown.

A terminal obeys control characters, a spreadsheet computes cells that begin as formulas do, a browser follows HTML in
markdown, LaTeX runs commands. Names in messages, tables and figures pass one of these functions; JSON has its rules.
"""

import re
import unicodedata

FORMULA = "=+-@|%\uff1d\uff0b\uff0d\uff20"  # what begins one in a spreadsheet; the last four are the full-width forms
SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
ENTITIES = str.maketrans({c: f"&#{ord(c)};" for c in "`[]*"} | {"<": "&lt;", ">": "&gt;", "|": "/"})
LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "_": r"\_", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "↑": r"$\uparrow$", "↓": r"$\downarrow$",
})  # fmt: skip


def shown(text: object) -> str:
    r"""`text` with every character that does not print as its escape: \x1b, \n, \u202e, and \xff for an odd byte.

    These are control characters, line separators, marks that change the direction of writing, what has no glyph, and
    the bytes of a file name that are no UTF-8. The result is one line that every encoding of Unicode takes.
    """
    plain = str(text)
    return plain if plain.isprintable() else "".join(c if _prints(c) else _escape(c) for c in plain)


def in_markdown(name: str) -> str:
    """A name that can be nothing but text in markdown: no HTML, no link, no code, no cell of its own."""
    return re.sub(r"&(?=#?\w+;)", "&amp;", _on_one_line(name)).translate(ENTITIES)


def line_in_markdown(text: str) -> str:
    """A sentence of ours with names in it: its brackets stay, HTML, links and code are none."""
    plain = re.sub(r"&(?=#?\w+;)", "&amp;", _on_one_line(text))
    plain = plain.replace("<", "&lt;").replace(">", "&gt;").replace("`", "&#96;")
    return re.sub(r"\](?=[(\[:])", "&#93;", plain)


def in_csv(value: object) -> object:
    """A cell: text that a spreadsheet would compute gets an apostrophe before it; numbers and None are as they are."""
    if not isinstance(value, str):
        return value
    text = shown(value)
    return f"'{text}" if text.lstrip()[:1] in tuple(FORMULA) else text


def in_latex(text: str) -> str:
    """Text without commands, which the end of a table's row cannot take for its option (`[1cm]`, `*`) either."""
    plain = _on_one_line(text).translate(LATEX)
    return f"{{}}{plain}" if plain[:1] in ("[", "*") else plain


def comment_in_latex(text: str) -> str:
    """A line of a comment."""
    return f"% {_on_one_line(text)}"


def _on_one_line(text: str) -> str:
    return shown(re.sub(r"[ \t\r\n]+", " ", text.strip(" \t\r\n")))


def _prints(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"  # spaces of other scripts


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps the bytes of a name that are no UTF-8
        code -= 0xDC00
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return SHORT.get(character, f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
