"""Files only their owner may read."""

from pathlib import Path

from config import private


def test_a_file_is_its_owners_alone_whatever_lay_where_it_is_written(tmp_path: Path) -> None:
    for name in ("code", "code.part"):
        (tmp_path / name).write_text("old")
        (tmp_path / name).chmod(0o666)
    private.write(tmp_path / "code", "new")
    assert ((tmp_path / "code").read_text(), (tmp_path / "code").stat().st_mode & 0o777) == ("new", 0o600)
    assert [one.name for one in tmp_path.iterdir()] == ["code"]
