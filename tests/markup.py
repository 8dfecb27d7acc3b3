"""Markup: texts that a page must show as they are, whoever sent them."""

MARKUP = (
    "<script>canary()</script>",
    "<img src=x onerror=canary()>",
    "\"><svg onload=canary()>",
    "' onmouseover='canary()",
    "</title></textarea><script>canary()</script>",
    "<a href=\"javascript:canary()\">go</a>",
    "<a href=\"https://evil.example\">go</a>",
    "<iframe srcdoc=\"<script>parent.canary()</script>\">",
    "<b>bold</b><br>second<sup>3</sup>",
    "<style>*{display:none}</style>",
    "&lt;img src=x onerror=canary()&gt;",
    "%3Cscript%3Ecanary()%3C/script%3E",
    "\\u003cscript\\u003ecanary()",
    "javascript:canary()",
    "{{constructor.constructor('canary()')()}}",
    "${canary()}",
    "[go](javascript:canary())",
    "%{customdata}<extra>canary</extra>",
    "__proto__",
    "constructor",
)
