"""How the report's pages of text and tables look: the scoreboard, the methods."""

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
