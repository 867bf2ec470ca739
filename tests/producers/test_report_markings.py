"""What a report states about itself, wherever and in whatever words: understood, or it holds."""

from email.message import EmailMessage

import pytest

from schemas.markings import SourceMarking, Tlp, understand
from tests.producers.reading_feeds import observations, readings, refusals

VALUE = "bad[.]example[.]com"
NOTHING = (understand(SourceMarking()).tlp, False)


def stated_by(content: str | bytes) -> tuple[Tlp, bool]:
    """The TLP label of a report with a value, and whether anything else restricts it."""
    data = content if isinstance(content, bytes) else content.encode()
    seen, *_ = observations(readings("prose-report", data))
    marking = understand(seen.marking)
    return marking.tlp, seen.marking.releasable_to is not None or bool(marking.caveats)


@pytest.mark.parametrize(
    "text",
    [
        "TLP\nRED\n",
        "**TLP**\n\nRED\n",
        "| Indicator | TLP |\n|---|---|\n| x | GREEN |\n| y | RED |\n",
        "| Name | Value |\n|---|---|\n| TLP | RED |\n",
        "|===\n|TLP\n|RED\n\n|x\n|y\n|===\n",
        "---\ntlp: red\n---\n",
        ":tlp: RED\n",
    ],
)
def test_a_label_counts_if_the_layout_parts_it_from_its_name(text: str) -> None:
    assert stated_by(f"{text}\n{VALUE}\n")[0] is Tlp.RED


@pytest.mark.parametrize(
    "page",
    [
        "<table><tr><td>TLP</td><td>RED</td></tr></table>",
        "<table><tr><th>Date<th>TLP<tr><td>2026<td>RED</table>",
        "<dl><dt>TLP<dd>RED</dl>",
        "<p>TLP:</p>\n<p>RED</p>",
        '<img src="/i/tlp-red.png" alt="">',
        '<p class="tlp-red">x</p>',
        '<p data-tlp="red">x</p>',
        "<noscript>TLP:RED</noscript>",
        "x<textarea>TLP:RED</textarea>",
    ],
)
def test_a_label_counts_wherever_a_page_shows_it(page: str) -> None:
    assert stated_by(f"<html><body>{page}<p>{VALUE}</p></body></html>")[0] is Tlp.RED


@pytest.mark.parametrize(
    "line",
    [
        *("Classification: internal", "Handling: internal use", "Distribution: limited", "Confidential", "Vertraulich"),
        *("| Classification | Internal |", "This report is confidential.", "Company Confidential", "Customers only"),
        *(
            "Sharing: recipients may share only within their own organisation.",
            "Limited distribution",
            "For ISAC members only",
        ),
        *("Distribution is limited to customers.", "You may not redistribute it.", "Not for public disclosure"),
        *("This document must not be copied without permission.", "This e-mail is intended only for the addressee."),
        *(
            "お客様限定でお渡ししています。",
            "第三者への開示はご遠慮ください。",
            "共有範囲：参加組織内",
            "会員限定",
            "限定共有",
        ),
        *(
            "当社の許可なく第三者に開示しないでください",
            "複製・再配布はお控えください",
            "取り扱いにはご注意ください",
            "秘密保持契約に基づき提供",
        ),
        *("Confidentiality notice: the contents are privileged.", "Shared under NDA", "Please treat as confidential."),
        *("Marked amber under TLP", "Internal - Do not post", "For the exclusive use of its clients", "秘密情報"),
        *(
            "社内利用に限る",
            "外部への提供はしないでください",
            "口外無用",
            "転用を禁じます",
            "二次利用禁止",
            "提供先限定情報",
        ),
        *("本資料は関係者のみに配布しています。", "公開範囲は社内とします。"),
    ],
)
def test_a_line_about_the_report_is_understood_or_holds(line: str) -> None:
    assert stated_by(f"# made up\n{VALUE}\n\n{line}\n")[1]


@pytest.mark.parametrize(
    "line",
    [
        *("Classification: Trojan", "Distribution: phishing mails", "It steals confidential documents.", "Incident"),
        *("The malware is distributed only in Japan.", "The FBI does not share it.", "Please report incidents."),
        *('This information is provided "as is" for informational purposes only.', "All rights reserved."),
        *(
            "機密情報を窃取するマルウェア",
            "管理画面を外部に公開しないでください",
            "攻撃者はファイル共有サービスのみを利用しました。",
        ),
        *("| Indicator | TLP | Notes |", "The red team tested it.", "It is shared under a false name."),
        "機密情報が漏えいした可能性があります。",
    ],
)
def test_a_line_about_something_else_restricts_nothing(line: str) -> None:
    assert stated_by(f"# made up\n{VALUE}\n\n{line}\n") == NOTHING


def test_the_words_that_explain_a_label_do_not_hold_it() -> None:
    text = (
        "This document is marked TLP:CLEAR. Disclosure is not limited. Sources may use TLP:CLEAR when information "
        "carries minimal or no foreseeable risk of misuse, in accordance with applicable rules and procedures for "
        "public release. Subject to standard copyright rules, TLP:CLEAR information may be distributed without "
        "restriction. For more information on the Traffic Light Protocol, see example.org/tlp."
    )
    assert stated_by(f"# made up\n{VALUE}\n\n{text}\n") == (Tlp.CLEAR, False)


def a_mail(subject: str = "made up", body: str = VALUE, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.com", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message


HEADERS = "From: a@example.com\r\nTo: b@example.com\r\n"


def mails() -> dict[str, bytes]:
    """Mails that restrict, each by another part of it."""
    forwarded, attached = a_mail(), a_mail()
    forwarded.add_attachment(a_mail("[TLP:RED] inner"))
    attached.add_attachment(b"x", maintype="application", subtype="pdf", filename="TLP-RED_report.pdf")
    plain = f"{HEADERS}Subject: x\r\n\r\n社外秘\r\n{VALUE}\r\n"
    return {
        "a forwarded mail": forwarded.as_bytes(),
        "the name of an attachment": attached.as_bytes(),
        "a header": a_mail(Sensitivity="Company-Confidential").as_bytes(),
        "a subject without encoding": f"{HEADERS}Subject: 【社外秘】x\r\n\r\n{VALUE}\r\n".encode(),
        "a body in UTF-8, not stated": plain.encode(),
        "a body in ISO-2022-JP, not stated": plain.encode("iso2022_jp"),
        "a body in Shift_JIS, not stated": plain.encode("cp932"),
    }


@pytest.mark.parametrize("part", mails())
def test_every_part_of_a_mail_may_restrict_also_one_that_cannot_be_read(part: str) -> None:
    tlp, restricts = stated_by(mails()[part])
    assert tlp is Tlp.RED or restricts


def test_a_header_of_a_mail_server_is_no_marking() -> None:
    assert stated_by(a_mail(X_MS_Exchange_Organization_AuthAs="Internal").as_bytes()) == NOTHING


def test_a_report_in_iso_2022_jp_is_not_read_as_ascii() -> None:
    [refused] = refusals(readings("prose-report", f"社外秘\n{VALUE}\n".encode("iso2022_jp")))
    assert "iso2022_jp" in refused.detail


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("csv-list", "Classification,Internal\nvalue,type\n198.51.100.7,ip\n"),
        ("csv-list", "Classification;Internal\nvalue;type\n198.51.100.7;ip\n"),
        ("csv-list", "# Classification | Internal\nvalue,type\n198.51.100.7,ip\n"),
        ("txt-list", "# Classification - Internal\n198.51.100.7\n"),
        ("txt-list", "# Handling\tInternal use only\n198.51.100.7\n"),
    ],
)
def test_a_title_of_a_list_may_be_a_name_and_a_value_in_cells(name: str, content: str) -> None:
    [seen] = observations(readings(name, content.encode()))
    assert seen.marking.releasable_to == ()


def test_a_comment_of_separators_and_a_pair_about_something_else_state_nothing() -> None:
    [seen] = observations(readings("txt-list", b"# ,;:=\n# Malware,Emotet\n# Classification,Trojan\n198.51.100.7\n"))
    assert seen.marking == SourceMarking()


def test_a_page_of_xhtml_is_a_page_and_its_scripts_are_not_read() -> None:
    page = f"<html><head><script>TLP:RED</script></head><body>{VALUE}</body></html>"
    assert stated_by(f'<?xml version="1.0"?>\n<!DOCTYPE html>\n{page}') == NOTHING


@pytest.mark.parametrize("part", ["<script>x</script/ ><p>TLP:RED</p>", "<style>x", "<script>x"])
def test_a_page_with_an_invisible_part_that_does_not_end_holds(part: str) -> None:
    assert stated_by(f"<html><body>{VALUE}{part}</body></html>")[1]


@pytest.mark.parametrize("part", ["<!--" * 50_000, "<![" * 50_000, "<a " * 50_000, "]" * 200_000])
def test_a_page_of_marks_without_an_end_is_read_to_its_end(part: str) -> None:
    seen = observations(readings("prose-report", f"<html><p>{VALUE}</p>\n{part}".encode()))
    assert [each.value for each in seen]


@pytest.mark.parametrize(
    "line",
    [
        *("You should never disclose your passwords.", "Recipients must never forward phishing mails."),
        *("These indicators are classified as high confidence.", "This report contains no confidential information."),
    ],
)
def test_advice_about_something_else_restricts_nothing(line: str) -> None:
    assert stated_by(f"{line}\n{VALUE}\n") == NOTHING
