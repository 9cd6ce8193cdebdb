from __future__ import annotations

import mailbox
import stat

import pytest

from service.mail.mailbox import find, newest_first
from service.mail.maildir import MaildirSender, file_name
from service.mail.message import OutgoingMail
from service.mail.ports import MailUnavailable

DATA = b"From: a@auth.example\r\nTo: ann@example.com\r\nSubject: Hello\r\nDate: now\r\n\r\nBody\r\n"


def outgoing(number=1, *, sent_ms=1_800_000_000_007, data=DATA):
    return OutgoingMail(
        message_id=f"{number:032x}",
        sent_ms=sent_ms,
        sender="a@auth.example",
        to="ann@example.com",
        needs_smtputf8=False,
        data=data,
    )


async def test_a_mail_is_one_file_that_any_mail_program_reads(tmp_path):
    await MaildirSender(folder=tmp_path / "deep" / "mail").send(outgoing())
    box = mailbox.Maildir(tmp_path / "deep" / "mail", create=False)
    try:
        [message] = list(box)
    finally:
        box.close()
    assert message["Subject"] == "Hello"
    assert message.get_payload() == "Body\n"


async def test_nothing_is_left_in_tmp(tmp_path):
    await MaildirSender(folder=tmp_path).send(outgoing())
    assert list((tmp_path / "tmp").iterdir()) == []
    assert [path.name for path in (tmp_path / "new").iterdir()] == [file_name(outgoing())]


async def test_mails_are_readable_by_their_owner_only(tmp_path):
    folder = tmp_path / "mail"
    await MaildirSender(folder=folder).send(outgoing())
    [file] = (folder / "new").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [stat.S_IMODE(place.stat().st_mode) for place in (folder, folder / "new")] == [0o700, 0o700]


async def test_sending_one_mail_again_leaves_one_mail(tmp_path):
    sender = MaildirSender(folder=tmp_path)
    await sender.send(outgoing())
    await sender.send(outgoing())
    assert len(newest_first(tmp_path, limit=9)) == 1


async def test_a_folder_that_cannot_be_written_is_temporary(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MailUnavailable):
        await MaildirSender(folder=tmp_path / "file").send(outgoing())


async def test_a_write_that_fails_leaves_no_half_mail(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(MailUnavailable):
        await MaildirSender(folder=tmp_path).send(outgoing())
    assert list((tmp_path / "tmp").iterdir()) == []
    assert list((tmp_path / "new").iterdir()) == []


async def test_mails_are_listed_newest_first(tmp_path):
    sender = MaildirSender(folder=tmp_path)
    for number, sent_ms in ((1, 1_800_000_000_007), (2, 1_800_000_000_999), (3, 1_800_000_001_000)):
        await sender.send(outgoing(number, sent_ms=sent_ms))
    names = [mail.name for mail in newest_first(tmp_path, limit=9)]
    assert [name[-9:-8] for name in names] == ["3", "2", "1"]
    assert len(newest_first(tmp_path, limit=2)) == 2


async def test_a_mail_that_was_read_elsewhere_is_still_listed(tmp_path):
    await MaildirSender(folder=tmp_path).send(outgoing())
    [file] = (tmp_path / "new").iterdir()
    file.rename(tmp_path / "cur" / f"{file.name}:2,S")
    [mail] = newest_first(tmp_path, limit=9)
    assert mail.name.endswith(":2,S")
    assert (mail.subject, mail.to, mail.sender, mail.date) == ("Hello", "ann@example.com", "a@auth.example", "now")
    assert (mail.text, mail.html) == ("Body\n", "")


async def test_bytes_that_are_no_mail_are_shown_as_well_as_they_can_be(tmp_path):
    await MaildirSender(folder=tmp_path).send(outgoing(data=b"\xff\xfe\x00 no mail"))
    [mail] = newest_first(tmp_path, limit=9)
    assert mail.subject == ""


def test_a_maildir_that_is_not_there_holds_nothing(tmp_path):
    assert newest_first(tmp_path / "absent", limit=9) == []
    assert find(tmp_path / "absent", "x") is None


@pytest.mark.parametrize("name", ["../secret", "..", ".", "", "new/../../secret", "/etc/passwd", "link"])
async def test_attack_path_traversal_by_name_finds_nothing(tmp_path, name):
    await MaildirSender(folder=tmp_path / "mail").send(outgoing())
    (tmp_path / "secret").write_text("Subject: secret\n\nsecret")
    (tmp_path / "mail" / "secret").write_text("Subject: secret\n\nsecret")
    (tmp_path / "mail" / "new" / "link").symlink_to(tmp_path / "secret")
    assert find(tmp_path / "mail", name) is None
