#!/usr/bin/env python3
"""Render icons/satchel.svg into every icon file that tauri.conf.json names.

Run it by hand after the drawing has changed; the results are committed, so a build never needs it.
Needs chromium (draws the SVG exactly as a browser does) and ImageMagick's convert.
"""

import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ICONS = Path(__file__).resolve().parent.parent / "icons"
SIDE = 1024
PNG_SIZES = {"32x32.png": 32, "128x128.png": 128, "128x128@2x.png": 256, "icon.png": 512}
# Apple's icon types that hold a PNG, by side in pixels (the @2x types repeat a size on purpose).
ICNS_TYPES = [(b"icp4", 16), (b"icp5", 32), (b"ic11", 32), (b"ic12", 64), (b"ic07", 128),
              (b"ic13", 256), (b"ic08", 256), (b"ic14", 512), (b"ic09", 512), (b"ic10", 1024)]


def draw(svg: Path, png: Path) -> None:
    """Let Chromium paint the SVG, SIDE pixels square, on a transparent ground."""
    page = png.with_suffix(".html")
    page.write_text(
        f'<body style="margin:0"><img src="{svg.as_uri()}" width="{SIDE}" height="{SIDE}">')
    command = ["chromium", "--headless", "--disable-gpu", "--hide-scrollbars",
               f"--user-data-dir={png.parent / 'browser'}", f"--window-size={SIDE},{SIDE}",
               "--default-background-color=00000000", f"--screenshot={png}", page.as_uri()]
    if os.geteuid() == 0:
        command.insert(1, "--no-sandbox")
    subprocess.run(command, check=True, timeout=120, stderr=subprocess.DEVNULL)


def resize(source: Path, side: int, target: Path) -> None:
    """Write `source` at `side` pixels as 8-bit RGBA (what Tauri reads), without time stamps."""
    subprocess.run(["/usr/bin/convert", source, "-resize", f"{side}x{side}", "-strip",
                    "-define", "png:exclude-chunks=date,time", "-depth", "8",
                    f"PNG32:{target}"], check=True)


def write_icns(big: Path, target: Path, scratch: Path) -> None:
    """An .icns file is a header and one length-prefixed PNG per size."""
    body = b""
    for kind, side in ICNS_TYPES:
        one = scratch / f"icns-{side}.png"
        if not one.exists():
            resize(big, side, one)
        data = one.read_bytes()
        body += kind + struct.pack(">I", len(data) + 8) + data
    target.write_bytes(b"icns" + struct.pack(">I", len(body) + 8) + body)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        big = scratch / "big.png"
        draw(ICONS / "satchel.svg", big)
        for name, side in PNG_SIZES.items():
            resize(big, side, ICONS / name)
        subprocess.run(["/usr/bin/convert", big, "-define", "icon:auto-resize=256,128,64,48,32,16",
                        ICONS / "icon.ico"], check=True)
        write_icns(big, ICONS / "icon.icns", scratch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
