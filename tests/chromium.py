"""Chromium as the tests start it: without a screen, and quiet. Each adds the window that it needs."""

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # the browser's own menus are pages too: a fifth of its time, for each window anew
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,PreloadTopChromeWebUI",
)
