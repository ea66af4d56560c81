"""The few pages that the service shows itself: to people who come out of a mail, with a browser and without a login."""

from html import escape

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
}
OUT_OF_MAILS = frozenset({"exports.file", "subscriptions.page", "subscriptions.stop", "subscriptions.resume"})
"""The operations behind the links of mails."""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title>
<style>
body {{ margin: 0; padding: 10vh 24px; background: #f4f5f7; color: #1c2430; font: 17px/1.5 system-ui, sans-serif; }}
main {{ max-width: 480px; margin: auto; padding: 32px; border-radius: 8px; background: #fff; }}
h1 {{ margin: 0 0 12px; font-size: 22px; }} p {{ margin: 0 0 20px; overflow-wrap: anywhere; }}
button {{ padding: 12px 20px; border: 0; border-radius: 6px; background: #0f5c8c; color: #fff; font: inherit; }}
button:focus-visible {{ outline: 3px solid #f0b429; outline-offset: 2px; }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #12161c; color: #e6eaf0; }} main {{ background: #1b222c; }} button {{ background: #27739f; }}
}}
</style></head>
<body><main><h1>{title}</h1><p>{words}</p>{form}</main></body></html>
"""


def page(title: str, words: str, form: str = "") -> str:
    """`words` and `form` are HTML."""
    return _PAGE.format(title=escape(title), words=words, form=form)


def sorry(status: int, detail: str) -> str:
    """What stands in the place of an error that only programs like to read."""
    return page("This link does not work" if status < 500 else "Not now", escape(detail))
