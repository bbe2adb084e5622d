import numpy as np
import pytest

from napari_lle.model.io.files import FileError, read_image, write_image
from napari_lle.model.io.magic_bytes import misnamed


@pytest.mark.parametrize(
    ("suffix", "wrong", "name"),
    [(".png", ".tif", "PNG"), (".tif", ".png", "TIFF"), (".jpg", ".tif", "JPEG")],
)
def test_a_wrong_suffix_is_named_with_the_right_one(tmp_path, suffix, wrong, name):
    pixels = np.zeros((8, 9, 3), np.uint8)
    if suffix == ".jpg":
        from PIL import Image

        Image.fromarray(pixels).save(tmp_path / "a.jpg")
    else:
        write_image(tmp_path / f"a{suffix}", pixels, rgb=True)
    file = (tmp_path / f"a{suffix}").rename(tmp_path / f"a{wrong}")
    if wrong == ".png":  # Pillow reads a TIFF whatever its name
        assert read_image(file).pixels.shape == (8, 9, 3)
    else:
        with pytest.raises(
            FileError, match=f"is a {name} file: rename it so that it ends in {suffix}"
        ):
            read_image(file)


def test_an_empty_file_is_called_so(tmp_path):
    (tmp_path / "a.tif").touch()
    with pytest.raises(FileError, match="it is empty"):
        read_image(tmp_path / "a.tif")


def test_a_right_suffix_is_left_alone(tmp_path):
    write_image(tmp_path / "a.tif", np.zeros((8, 9), np.uint8), rgb=False)
    assert misnamed(tmp_path / "a.tif") is None
    assert misnamed(tmp_path) is None
