"""Notices: short letters to the owner of something, about something that they should know."""

import re
from html import escape

from stockverify.letters import Letter

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<style>
body {{ margin: 0; padding: 24px; background: #f4f5f7; color: #1c2430; font: 16px/1.5 system-ui, sans-serif; }}
main {{ max-width: 560px; margin: auto; padding: 24px; background: #fff; border-left: 4px solid #b45309; }}
h1 {{ margin: 0 0 12px; font-size: 19px; }}
p {{ margin: 0 0 12px; overflow-wrap: anywhere; }}
a {{ color: #0f5c8c; }}
footer {{ max-width: 560px; margin: 12px auto; font-size: 13px; color: #5b6675; }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #12161c; color: #e6eaf0; }} main {{ background: #1b222c; }} footer {{ color: #98a3b3; }}
  a {{ color: #7cc0ea; }}
}}
</style></head>
<body><main><h1>{subject}</h1>{paragraphs}</main><footer>StockVerify wrote this by itself.</footer></body></html>
"""


_ADDRESS = re.compile(r"(https?://[^\s<>'\"]+)")


def notice(subject: str, text: str) -> Letter:
    """A letter of one subject and plain text, in which empty lines part paragraphs."""
    subject = " ".join(subject.split())[:200]
    paragraphs = "".join(_paragraph(each) for each in text.split("\n\n") if each)
    html = _PAGE.format(subject=escape(subject), paragraphs=paragraphs)
    return Letter(subject=subject, text=f"{text}\n\n-- \nStockVerify wrote this by itself.\n", html=html)


def _paragraph(text: str) -> str:
    """Escaped, with addresses of pages to follow."""
    pieces = [escape(each) for each in _ADDRESS.split(text)]
    pieces[1::2] = [f'<a href="{each}">{each}</a>' for each in pieces[1::2]]
    return f"<p>{''.join(pieces).replace(chr(10), '<br>')}</p>"
