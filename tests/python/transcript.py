"""Reads a printed transcript with programs that know nothing of creditbank.

transcript.py FILE.pdf EXPECTED.json

qpdf (by pikepdf) says whether it is well formed and tagged, poppler whether its fonts are embedded and its text comes back
in order, ZXing whether the QR codes on the rendered pages hold their links.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pikepdf
import zxingcpp
from PIL import Image


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def squeeze(text):
    """Without blanks, line ends, page breaks and the points where a word may be broken."""
    return re.sub("[\\s\u200b\u00ad]", "", text)


def elements(node):
    """All structure elements below one."""
    if isinstance(node, pikepdf.Array):
        for child in node:
            yield from elements(child)
    elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
        yield node
        if "/K" in node:
            yield from elements(node.K)


def attribute(element, name):
    found = element.get("/A", [])
    for owner in found if isinstance(found, pikepdf.Array) else [found]:
        if name in owner:
            return owner[name]
    return None


def check_structure(path, expected):
    with pikepdf.open(path) as pdf:
        problems = pdf.check_pdf_syntax()
        assert not problems, problems
        root = pdf.Root
        assert bool(root.MarkInfo.Marked)
        assert str(root.Lang) == expected["lang"], root.Lang
        assert bool(root.ViewerPreferences.DisplayDocTitle)
        metadata = pdf.open_metadata()
        assert metadata.get("pdfuaid:part") == "1"
        title = "Transcript" if expected["lang"] == "en" else expected["title"]
        assert title in metadata.get("dc:title", ""), metadata.get("dc:title")
        assert str(pdf.docinfo.CreationDate).startswith("D:20261126")
        found = list(elements(root.StructTreeRoot.K))
        kinds = [str(it.S) for it in found]
        assert kinds.count("/H1") >= 2, kinds.count("/H1")
        assert kinds.count("/H2") == len(expected["links"])
        for figure in (it for it in found if it.S == "/Figure"):
            assert str(figure.get("/Alt", "")), "a figure without an alternative text"
        assert kinds.count("/Figure") == len(expected["links"])
        alternatives = {str(it.Alt) for it in found if it.S == "/Figure"}
        for link in expected["links"]:
            assert any(link in it for it in alternatives), link
        scopes = [str(attribute(it, "/Scope")) for it in found if it.S == "/TH"]
        assert all(it in ("/Column", "/Row") for it in scopes)
        # A head of eight columns a set, and a name that is the head of its row.
        assert scopes.count("/Column") >= 8 * len(expected["links"])
        assert scopes.count("/Row") >= len(expected["names"])
        for page in pdf.pages:
            assert page.get("/Tabs") == "/S", "order of tabs"


def check_fonts(path):
    lines = run("pdffonts", path).splitlines()[2:]
    assert lines, "no fonts"
    for line in lines:
        name = line.split()[0]
        emb, sub, uni = line.split()[-5:-2]
        assert re.match("[A-Z]{6}\\+", name), line
        assert (emb, sub, uni) == ("yes", "yes", "yes"), line
        assert re.search("NotoSerifCJK|NotoSansCJK|HanaMin", name), line


def check_text(path, expected):
    text = squeeze(run("pdftotext", path, "-"))
    assert "\ufffd" not in text
    at = 0
    for wanted in expected["texts"]:
        at = text.find(squeeze(wanted), at)
        assert at >= 0, f"{wanted} is not there, or not in its place"
        at += len(squeeze(wanted))
    # Cells of one row may be told line by line, so long names come back in pieces: every character of them is there.
    raw = squeeze(run("pdftotext", "-raw", path, "-"))
    for name in set(expected["names"]):
        assert squeeze(name) in raw or squeeze(name) in text, name


def check_room(path):
    """No text lies over another or beyond the margins: what does was not broken where it had to be."""
    with tempfile.NamedTemporaryFile(suffix=".html") as boxes:
        run("pdftotext", "-bbox", path, boxes.name)
        pages = Path(boxes.name).read_text("utf-8").split("<page ")[1:]
    form = re.compile(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">')
    for page in pages:
        words = [tuple(map(float, it)) for it in form.findall(page)]
        for at, (left, top, right, bottom) in enumerate(words):
            assert 50 <= left and right <= 546, "text in the margin"
            for other in words[at + 1 :]:
                width = min(right, other[2]) - max(left, other[0])
                height = min(bottom, other[3]) - max(top, other[1])
                assert width < 1 or height < 4, "text over text"


def check_codes(path, expected):
    with tempfile.TemporaryDirectory() as folder:
        run("pdftoppm", "-r", "150", "-gray", "-png", path, f"{folder}/page")
        found = set()
        for page in sorted(Path(folder).glob("*.png")):
            with Image.open(page) as image:
                found |= {it.text for it in zxingcpp.read_barcodes(image)}
    assert found == set(expected["links"]), found ^ set(expected["links"])


def main():
    path, expected = sys.argv[1], json.loads(Path(sys.argv[2]).read_text("utf-8"))
    check_structure(path, expected)
    check_fonts(path)
    check_text(path, expected)
    check_room(path)
    check_codes(path, expected)


if __name__ == "__main__":
    main()
