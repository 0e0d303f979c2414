"""How the report's pages of text and tables look: the scoreboard, the methods."""

import jinja2

PAGE_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem auto; padding: 0 1.5rem;
       max-width: 78rem; color: #222; background: #fff; }
p, ul { max-width: 52rem; }
h1 { margin-bottom: .3rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: .45rem .7rem;
         border-bottom: 1px solid #ddd; }
th { border-bottom: 2px solid #444; }
td p, th p { margin: 0; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
code { font-size: 12px; overflow-wrap: anywhere; }
"""


def templates(**bodies: str) -> jinja2.Environment:
    """Jinja templates by name, and `page`, which a body extends; what is put in is escaped."""
    return jinja2.Environment(
        loader=jinja2.DictLoader({"page": _PAGE, **bodies}),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def render_page(body: str, **values: object) -> str:
    """A self-contained page from a Jinja template of its body; what is put in is escaped.

    Parameters
    ----------
    body
        Template of the page's body, with the blocks `title` and `style` for its head.
    values
        What the template names.
    """
    return templates(body=body).get_template("body").render(page_style=PAGE_STYLE, **values)


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{% block title %}{% endblock %}</title>
<style>{{ page_style | safe }}{% block style %}{% endblock %}</style>
</head>
<body>
{% block content %}{% endblock %}
</body>
</html>
"""
