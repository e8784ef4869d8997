from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import openpyxl  # type: ignore[import-untyped]
import pptx
import pytest
from pypdf import PdfWriter

from knowledge.documents import BlockKind, Content
from knowledge.errors import DocumentUnreadable
from knowledge.sources.parsers.registry import parser_for


def parse(name: str, data: bytes | str) -> Content:
    parser = parser_for(name)
    assert parser is not None
    return parser(data.encode() if isinstance(data, str) else data, name)


def texts(content: Content) -> str:
    return "\n".join(block.text for block in content.blocks)


def kinds(content: Content) -> list[BlockKind]:
    return [block.kind for block in content.blocks]


def page_of(text: str) -> bytes:
    """A PDF with one line of text, written by hand so that no other library is needed."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 612 792] "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    data = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(data)
    data += b"xref\n0 5\n0000000000 65535 f \n" + table
    return data + b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % start


def saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()


def test_markdown_keeps_its_structure() -> None:
    content = parse(
        "a.md", "# Top\n\nwords\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```sh\nls # -la\n```\n"
    )
    expected = [BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST, BlockKind.TABLE, BlockKind.CODE]
    assert kinds(content) == expected
    assert content.title == "Top"
    assert content.blocks[2].text == "- one\n- two"
    assert content.blocks[4].text == "```sh\nls # -la\n```"


def test_markdown_leaves_out_front_matter_comments_and_tables_of_contents() -> None:
    text = (
        '---\ntitle: "The real title"\nauthor: Ada\nsecret: hidden\n---\n<!-- toc -->\n- [One](#one)\n  - [Two](#two)\n'
    )
    content = parse("a.md", text + "<!-- a note\nover lines -->\n\n# One\n\nSeen <!-- unseen --> words\n")
    assert (content.title, content.author) == ("The real title", "Ada")
    assert texts(content).split() == ["One", "Seen", "words"]


def test_a_rule_at_the_start_is_not_taken_for_front_matter() -> None:
    assert "kept words" in texts(parse("a.md", "---\n\nkept words, and no second rule\n"))


def test_text_is_cut_into_paragraphs() -> None:
    content = parse("a.txt", "first\nline\n\n\nsecond\r\n\r\nthird")
    assert [block.text for block in content.blocks] == ["first\nline", "second", "third"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_in_another_encoding_is_read(encoding: str) -> None:
    assert texts(parse("a.txt", "Größe über 20 €".encode(encoding))) == "Größe über 20 €"


def test_bytes_that_fit_no_encoding_are_replaced_and_not_refused() -> None:
    assert "kept" in texts(parse("a.txt", b"\x81\x8d\xff kept"))


def test_control_characters_and_nul_never_come_through() -> None:
    assert texts(parse("a.md", "a" * 9000 + " red\x1b[31m and \x00 nul\x07")).endswith("red[31m and  nul")


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv", "a.html"])
def test_a_binary_file_with_a_text_name_is_named(name: str) -> None:
    with pytest.raises(DocumentUnreadable, match=f"{name} holds binary data"):
        parse(name, b"\x7fELF\x02\x01\x00\x00\x00\x00")


def test_html_keeps_what_is_seen_and_drops_scripts() -> None:
    page = """<html><head><title>Window title</title><style>p {}</style></head><body>
    <nav>Home | About</nav><h1>Holiday</h1><p>Ask <b>your</b> lead.<br>Then <a href="/x">book</a>.</p>
    <script>steal("cookies")</script><ul><li>one<ul><li>inner</li></ul></li><li>two</li></ul>
    <table><tr><th>Day</th><th>Off</th></tr><tr><td>Monday</td><td>yes | no</td></tr></table>
    <pre>a = 1\nb = 2</pre><div onclick="alert(1)">loose <span>words</span></div><noscript>turn on</noscript>
    <template>unused</template></body></html>"""
    content = parse("a.html", page)
    said = texts(content)
    assert content.title == "Holiday"
    assert "Ask your lead." in said
    assert "- one\n  - inner\n- two" in said
    assert "| Day | Off |\n| --- | --- |\n| Monday | yes \\| no |" in said
    assert "```\na = 1\nb = 2\n```" in said
    assert "loose words" in said
    assert not any(word in said for word in ("steal", "cookies", "alert", "About", "turn on", "unused", "Window"))


def test_html_says_its_own_encoding() -> None:
    page = '<html><head><meta charset="iso-8859-2"></head><body><p>żółw</p></body></html>'
    assert texts(parse("a.html", page.encode("iso-8859-2"))) == "żółw"


def test_broken_html_is_read_as_browsers_do() -> None:
    assert "open" in texts(parse("a.html", "<p>open <b>never closed<div><p>again"))
    assert parse("a.html", "").blocks == ()


@pytest.mark.parametrize(("name", "text"), [("a.csv", "name,role\nAda,lead\n"), ("a.tsv", "name\trole\nAda\tlead\n")])
def test_a_table_in_text_becomes_a_table(name: str, text: str) -> None:
    (block,) = parse(name, text).blocks
    assert block.kind is BlockKind.TABLE
    assert block.text == "| name | role |\n| --- | --- |\n| Ada | lead |"


def test_a_csv_of_semicolons_quotes_and_ragged_rows_is_read() -> None:
    (block,) = parse("a.csv", 'name;note\n"Ada; L.";"two\nlines"\nBob\n').blocks
    assert "| Ada; L. | two lines |\n| Bob |  |" in block.text


def test_a_pdf_is_read_page_by_page() -> None:
    content = parse("a.pdf", page_of("The vault opens at nine."))
    assert [block.text for block in content.blocks] == ["Page 1", "The vault opens at nine."]


def test_an_encrypted_pdf_is_named_with_the_way_out() -> None:
    writer = PdfWriter(clone_from=io.BytesIO(page_of("secret")))
    writer.encrypt("password", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    with pytest.raises(DocumentUnreadable, match=r"a\.pdf is an encrypted PDF.*without a password"):
        parse("a.pdf", buffer.getvalue())


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4 nothing", page_of("cut off")[:200], b"not a pdf at all" * 100])
def test_a_broken_pdf_is_named(data: bytes) -> None:
    with pytest.raises(DocumentUnreadable, match=r"a\.pdf is a "):
        parse("a.pdf", data)


def test_a_scanned_pdf_is_named_as_one_without_text() -> None:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    buffer = io.BytesIO()
    writer.write(buffer)
    with pytest.raises(DocumentUnreadable, match="without text"):
        parse("a.pdf", buffer.getvalue())


def word_file() -> bytes:
    """A Word file with a heading and a paragraph, written by hand so that no other library is needed."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    packaging = "http://schemas.openxmlformats.org/package/2006"
    heading = '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Travel policy</w:t></w:r></w:p>'
    paragraph = "<w:p><w:r><w:t>Book trains before planes.</w:t></w:r></w:p>"
    style = '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style>'
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{packaging}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{packaging}/relationships">'
            f'<Relationship Id="r1" Type="{office}" Target="word/document.xml"/></Relationships>',
        )
        body = f'<w:document xmlns:w="{word}"><w:body>{heading}{paragraph}</w:body></w:document>'
        archive.writestr("word/document.xml", body)
        archive.writestr("word/styles.xml", f'<w:styles xmlns:w="{word}">{style}</w:styles>')
    return buffer.getvalue()


def slides() -> bytes:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Roadmap"
    slide.placeholders[1].text = "Search comes in spring."
    return saved(deck)


def sheet() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["Service", "Owner"])
    book.active.append(["billing", "Grace"])
    return saved(book)


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("a.docx", word_file, ("Travel policy", "Book trains before planes.")),
        ("a.pptx", slides, ("Roadmap", "Search comes in spring.")),
        ("a.xlsx", sheet, ("| Service | Owner |", "| billing | Grace |")),
    ],
)
def test_office_files_are_read(name: str, make: Callable[[], bytes], words: tuple[str, ...]) -> None:
    said = texts(parse(name, make()))
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.xlsx"])
def test_a_broken_office_file_is_named(name: str) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("nothing.xml", "<a/>")
    for data in (b"no archive", buffer.getvalue()):
        with pytest.raises(DocumentUnreadable, match=f"{name} is a broken"):
            parse(name, data)


def test_an_encrypted_office_file_is_named() -> None:
    with pytest.raises(DocumentUnreadable, match="encrypted"):
        parse("a.docx", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600)


def test_a_zip_bomb_is_not_opened() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            archive.writestr(f"word/{number}.xml", b"\0" * 100_000_000)
    with pytest.raises(DocumentUnreadable, match="would unpack to 600 MB"):
        parse("a.docx", buffer.getvalue())


def test_files_that_nobody_reads_have_no_parser() -> None:
    assert parser_for("picture.png") is None
    assert parser_for("README.MD") is not None
