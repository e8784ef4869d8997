"""Pictures as models are sent them."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from sample_files import huge_picture, png

from bot.errors import FileUnread
from bot.files.pictures import LONGEST_SIDE, read_picture


def reopened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_small_picture_keeps_its_size_and_a_large_one_is_scaled_down() -> None:
    small = read_picture(png(40, 30), "a.png")
    assert (small.width, small.height, small.mimetype) == (40, 30, "image/png")
    large = read_picture(png(4000, 1000), "b.png")
    assert (large.width, large.height) == (LONGEST_SIDE, 392)
    assert reopened(large.data).size == (LONGEST_SIDE, 392)


def test_what_a_camera_wrote_into_a_photograph_goes_and_the_photograph_stands_upright() -> None:
    taken = Image.new("RGB", (60, 20), "blue")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "SecretCamera"
    out = io.BytesIO()
    taken.save(out, "JPEG", exif=exif)
    sent = read_picture(out.getvalue(), "photo.jpg")
    assert (sent.width, sent.height, sent.mimetype) == (20, 60, "image/jpeg")
    assert b"SecretCamera" not in sent.data
    assert not reopened(sent.data).getexif()


def test_clear_pixels_stay_clear_and_an_animation_gives_its_first_picture() -> None:
    clear = read_picture(png(mode="RGBA", color="#00000000"), "logo.png")
    assert reopened(clear.data).mode == "RGBA"
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    still = read_picture(out.getvalue(), "wave.gif")
    assert reopened(still.data).convert("RGB").getpixel((4, 4)) == (255, 0, 0)


def test_a_png_that_is_a_photograph_goes_out_as_jpeg() -> None:
    noise = Image.effect_noise((1500, 1500), 120).convert("RGB")
    out = io.BytesIO()
    Image.merge("RGB", [Image.effect_noise((1500, 1500), 120) for _ in range(3)]).save(out, "PNG")
    sent = read_picture(out.getvalue(), "noise.png")
    assert sent.mimetype == "image/jpeg"
    assert len(sent.data) < len(out.getvalue())
    assert noise.size == (sent.width, sent.height)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (huge_picture(), "60,000 × 60,000 pixels|far more pixels"),
        (png(9000, 8000, mode="1", color="white"), "9,000 × 8,000 pixels; I look at up to 64 million"),
        (png()[:40], "is damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 16, "is damaged"),
        (b"\0\0\0\x18ftypheic", "of a kind of picture that I cannot read"),
    ],
    ids=["bomb", "too many pixels", "cut", "empty", "heic"],
)
def test_what_cannot_be_shown_is_refused_with_a_way_out(data: bytes, why: str) -> None:
    with pytest.raises(FileUnread, match=why):
        read_picture(data, "x.png")
