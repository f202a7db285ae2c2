import pytest

from kuaibao.bulletin.publishing import fonts
from kuaibao.bulletin.publishing.fonts import CjkFont, find_cjk_font, font_folders


@pytest.fixture(autouse=True)
def _search_anew():
    fonts._search.cache_clear()
    yield
    fonts._search.cache_clear()


@pytest.fixture
def only_in(monkeypatch):
    def set_folder(*folders):
        monkeypatch.setattr(fonts, "font_folders", lambda: folders)
        monkeypatch.setattr(fonts, "_package_folders", lambda: iter(()))

    return set_folder


def lay(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_song_is_for_text_and_hei_for_heads(tmp_path, only_in):
    lay(tmp_path, "opentype/noto/NotoSerifCJK-Regular.ttc", "opentype/noto/NotoSansCJK-Regular.ttc")
    only_in(tmp_path)
    song, hei = find_cjk_font("song"), find_cjk_font("hei")
    assert (song.family, hei.family) == ("Noto Serif CJK SC", "Noto Sans CJK SC")
    assert song.path == tmp_path / "opentype/noto/NotoSerifCJK-Regular.ttc"


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("truetype/wqy/wqy-microhei.ttc", "WenQuanYi Micro Hei"),
        ("SourceHanSansSC-Regular.otf", "Source Han Sans SC"),
        ("PingFang.ttc", "PingFang SC"),
        ("simsun.ttc", "SimSun"),
        ("MSYH.TTC", "Microsoft YaHei"),
    ],
)
def test_fonts_of_other_systems_are_known(tmp_path, only_in, name, family):
    lay(tmp_path, name, "DejaVuSans.ttf")
    only_in(tmp_path)
    assert find_cjk_font().family == family
    assert find_cjk_font("song").family == family  # another role is better than none


def test_none_is_said_where_there_is_none(tmp_path, only_in):
    lay(tmp_path, "DejaVuSans.ttf", "readme.txt")
    only_in(tmp_path, tmp_path / "missing")
    assert find_cjk_font() is None


def test_a_folder_that_contains_itself_ends_the_search_all_the_same(tmp_path, only_in):
    lay(tmp_path, "a/simhei.ttf")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    only_in(tmp_path)
    assert find_cjk_font().family == "SimHei"


def test_a_named_file_comes_first(tmp_path, only_in, monkeypatch):
    lay(tmp_path, "fonts/simsun.ttc", "mine/SimHei.ttf")
    only_in(tmp_path / "fonts")
    monkeypatch.setenv("KUAIBAO_CJK_FONT", str(tmp_path / "mine/SimHei.ttf"))
    assert find_cjk_font() == CjkFont(family="SimHei", path=tmp_path / "mine/SimHei.ttf")
    monkeypatch.setenv("KUAIBAO_CJK_FONT", str(tmp_path / "gone.ttf"))
    assert find_cjk_font().family == "SimSun"


def test_the_system_folders_that_are_searched_exist():
    assert all(folder.is_dir() for folder in font_folders())


def test_the_family_that_is_named_is_the_family_that_the_typesetter_finds():
    found = find_cjk_font()
    if found is None:
        pytest.skip("no Chinese font on this machine (install fonts-noto-cjk)")
    import typst

    assert found.family in typst.Fonts(font_paths=[str(found.path.parent)]).families()
