"""Pictures as models take them: told by their content, made small, and without what a camera wrote into them."""

from __future__ import annotations

import io

from bot.domain import Image
from bot.errors import FileUnread

MOST_PIXELS = 64_000_000
"""More than a good camera has (48 million); a picture that unpacks to more is no photograph but a trap."""
LONGEST_SIDE = 1568
"""Pixels. Larger ones are scaled down by the models themselves (Anthropic's vision guide; OpenAI's fits 2048)."""
PNG_BYTES = 3_000_000
"""A larger PNG is a photograph, and sent as JPEG."""
# The pictures of some telephones are MPO, which its reader of JPEG opens.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def read_picture(data: bytes, name: str) -> Image:
    """The picture, its longest side 1568 pixels at most. Takes up to a second: call it in a worker thread.

    Raises FileUnread for what is no picture, is damaged, or would unpack to more than 64 million pixels. Of an
    animation the first picture is taken.
    """
    # Pillow takes a tenth of a second to load, so only those pay who send pictures.
    from PIL import Image as pillow

    damaged = FileUnread(f"{name} is damaged, or of a kind of picture that I cannot read. Save it as PNG or JPEG.")
    try:
        with pillow.open(io.BytesIO(data), formats=_FORMATS) as opened:
            width, height = opened.size
            if width * height > MOST_PIXELS:
                raise FileUnread(
                    f"{name} has {width:,} × {height:,} pixels; I look at up to {MOST_PIXELS // 1_000_000} million. "
                    "Scale it down and send it again."
                )
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # of a JPEG no more is unpacked than is wanted
            return _sent(opened, name)
    except FileUnread:
        raise
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning):
        raise FileUnread(
            f"{name} would unpack to far more pixels than a photograph has, so I left it closed."
        ) from None
    except Exception as error:  # a damaged file shows in any of Pillow's decoders
        raise damaged from error


def _sent(opened: object, name: str) -> Image:
    from PIL import Image as pillow
    from PIL import ImageOps

    assert isinstance(opened, pillow.Image)
    is_photograph = opened.format in ("JPEG", "MPO")
    upright = ImageOps.exif_transpose(opened)
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    clear = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    drawn = upright.convert("RGBA" if clear else "RGB")
    if not is_photograph:
        out = io.BytesIO()
        drawn.save(out, "PNG")
        if out.tell() <= PNG_BYTES:
            return Image(name, "image/png", out.getvalue(), *drawn.size)
    if clear:
        white = pillow.new("RGB", drawn.size, "white")
        white.paste(drawn, mask=drawn.getchannel("A"))
        drawn = white
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=85)
    return Image(name, "image/jpeg", out.getvalue(), *drawn.size)
