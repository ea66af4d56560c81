"""Letters in the page. What they hold came from counters and stock lists, so nothing in it may run or be fetched."""

from html import escape

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = "html,body{margin:0;height:100%}iframe{display:block;border:0;width:100%;height:100%;background:#fff}"


def framed(html: str, title: str) -> str:
    """A page of our own that shows a letter in a frame within.

    Streamlit's frame lets its page run scripts as the reader. The inner one has an empty sandbox: no script, no form,
    no window, no origin; and the policy, which it inherits, fetches nothing.
    """
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f'<iframe sandbox="" referrerpolicy="no-referrer" title="{escape(title)}" srcdoc="{escape(html)}"></iframe>'
        f"</body></html>"
    )
