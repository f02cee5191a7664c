"""Tables of text cells as LaTeX and HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "²": r"\textsuperscript{2}", "–": "--", "β": r"$\beta$", "λ": r"$\lambda$", "≤": r"$\le$", "≥": r"$\ge$",
}  # fmt: skip


def latex(header: Sequence[str], rows: Sequence[Sequence[str]], remarks: Sequence[str]) -> str:
    """Return a booktabs ``tabular``: names to the left, figures to the right, the remarks below across all columns."""
    whole_width = rf"\multicolumn{{{len(header)}}}{{p{{0.95\linewidth}}}}"
    lines = [
        rf"\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}",
        r"\toprule",
        _latex_row(header),
        r"\midrule",
        *(_latex_row(row) for row in rows),
        r"\bottomrule",
        *(rf"{whole_width}{{\footnotesize {_latex(remark)}}} \\" for remark in remarks),
        r"\end{tabular}",
    ]
    return "\n".join(lines)


def html(
    title: str,
    facts: Sequence[tuple[str, str]],
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    remarks: Sequence[str],
) -> str:
    """Return a caption, facts two to a row, a table of figures, and remarks, each a paragraph."""
    pairs = [(*left, *right) for left, right in zip(facts[::2], facts[1::2], strict=True)]
    head = _html_table(title, [], pairs) if pairs else ""
    table = _html_table("" if pairs else title, header, rows) if rows else ""
    return "<div>" + head + table + "".join(f"<p>{escape(remark)}</p>" for remark in remarks) + "</div>"


def _latex_row(cells: Iterable[str]) -> str:
    return " & ".join(_latex(cell) for cell in cells) + r" \\"


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _html_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    caption = f"<caption>{escape(title)}</caption>" if title else ""
    head = f"<thead>{_html_row(header, 'th')}</thead>" if header else ""
    return f"<table>{caption}{head}<tbody>{''.join(_html_row(row, 'td') for row in rows)}</tbody></table>"


def _html_row(cells: Sequence[str], tag: str) -> str:
    """A row that begins with its name."""
    figures = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells[1:])
    return f"<tr><th>{escape(cells[0])}</th>{figures}</tr>"
