"""A day with the book, through the Python bindings, against a real server process.

Two phones of one grid and a desk: enrol, first sync, read, write, photos, the six-step loop, a
disagreement, a refusal, the network gone. Each check is a line; the last line counts them.
"""

import argparse
import asyncio
import hashlib
import json
import os
import pathlib
import sys
import tempfile
import time
import traceback
import uuid

import pocketbook
import residents
from phone import Phone, Watcher
from pocketbook import PocketbookError
from server import Desk, Server, put

STREET = "610402004"
COMMUNITY = "610402004001"
GRID = "610402004001001"
HOUSEHOLDS = 60
PASSWORD = "a desk's password 1"


class Checks:
    """Counts what held and what did not."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def that(self, promise, holds, seen=None):
        """Checks a promise."""
        if holds:
            self.passed += 1
            print(f"  ok    {promise}")
        else:
            self.failed += 1
            print(f"  FAIL  {promise}" + ("" if seen is None else f" (seen: {seen})"))

    def equal(self, promise, found, wanted):
        """Checks that two values are the same."""
        self.that(promise, found == wanted, f"{found!r}, not {wanted!r}")

    def refused(self, promise, error, call, **fields):
        """Checks that a call fails with one error, and that the error is two sentences."""
        try:
            call()
        except error as refusal:
            wrong = {name: getattr(refusal, name) for name in fields if getattr(refusal, name) != fields[name]}
            self.that(promise, not wrong and " · " in refusal.sentence(), wrong or refusal.sentence())
        except Exception as other:  # noqa: BLE001: whatever else it was is the finding
            self.that(promise, False, repr(other))
        else:
            self.that(promise, False, "it was not refused")

    def chapter(self, title):
        """Begins a part of the day."""
        print(title)


def run(awaitable):
    """Waits for a call of the book's."""

    async def wait():
        return await asyncio.wait_for(awaitable, timeout=120)

    return asyncio.run(wait())


def change(path, was, to):
    """Returns an edit of one value."""
    text = lambda value: None if value is None else json.dumps(value, ensure_ascii=False)
    return pocketbook.Change(path=path, was_json=text(was), to_json=text(to))


def edit_phone(phone, person, number):
    """Types another phone number over the one that is shown."""
    shown = person.sensitive
    edit = [change("phone", shown.phone, number)]
    return phone.book.edit("person-sensitive", person.id, shown.rev, edit)


def set_up(server, data, folder):
    """Founds a district, its people, its pocket book and a desk."""
    server.admin("init", "--district-code", "610402", "--district-name", "秦都区")
    server.admin("import-org", data / "org/qindu.json")
    people = folder / "people.ndjson"
    residents.write(people, GRID, HOUSEHOLDS)
    server.admin("import-people", people)
    server.admin("publish-book", data / "book")
    server.admin("add-user", "--login", "desk", "--name", "综合窗口", "--password-stdin", stdin=PASSWORD + "\n")
    server.admin("grant", "desk", "street-desk", STREET)


def workers(data):
    """Returns the logins of two people who work in the grid: one who just does, and its head."""
    org = json.loads((data / "org/qindu.json").read_text(encoding="utf-8"))
    here = {worker["role"]: worker["number"] for worker in org["workers"] if worker["unit"] == GRID}
    return here["grid-worker"], here["grid-head"]


def enrols(checks, server, wang, login):
    checks.chapter("enrolment")
    book = wang.book
    checks.that("a new book knows nobody", book.enrolment() is None)
    checks.refused(
        "without enrolment nothing is synchronised",
        PocketbookError.Enrol,
        lambda: run(book.sync_now()),
        why=pocketbook.EnrolFault.NOT_YET,
    )
    checks.refused(
        "a wrong code is named so",
        PocketbookError.Enrol,
        lambda: run(book.enrol("AAAA-BBBB-CCCC", "driver")),
        why=pocketbook.EnrolFault.UNKNOWN_CODE,
    )
    for what, scanned in (("a web address", server.url), ("an unfinished scan", "{")):
        checks.refused(
            f"{what} is no invitation",
            PocketbookError.Enrol,
            lambda scanned=scanned: pocketbook.read_invitation(scanned),
            why=pocketbook.EnrolFault.NOT_AN_INVITATION,
        )
    scanned = server.invitation_for(login)
    checks.refused(
        "an invitation of a newer server asks for an update",
        PocketbookError.UpdateApp,
        lambda: pocketbook.read_invitation(scanned.replace('"v":1', '"v":2')),
    )
    invitation = pocketbook.read_invitation(scanned)
    checks.equal("the invitation names the server", invitation.server, server.url)
    enrolment = run(book.accept(invitation, "driver"))
    checks.that("who is invited is enrolled", enrolment.name != "" and enrolment.district == "610402", enrolment.name)
    checks.equal("the book remembers who is enrolled", book.enrolment().user, enrolment.user)
    return json.loads(scanned)["code"]


def first_sync(checks, wang):
    checks.chapter("first sync")
    watcher = Watcher()
    wang.book.watch(watcher)
    report = run(wang.book.sync_now())
    checks.that("records come in", report.rows >= HOUSEHOLDS * 5, report.rows)
    checks.that("the app hears what is stale", any(what.is_records() for what in watcher.heard))
    checks.that("the status says 已同步", wang.book.status().state.is_synced(), wang.book.status().state)

    households = wang.households()
    checks.equal("all households are listed, page by page", len(households), HOUSEHOLDS)
    checks.that("ids are UUIDs of the platform", isinstance(households[0].id, uuid.UUID))
    checks.equal("a household tells its place", households[0].place.compound, "试点小区")
    first = residents.household(0, GRID)
    file = wang.book.household(uuid.UUID(first["household"]["id"]))
    checks.equal("a household has its people", len(file.people), 2)
    head = next(person for person in file.people if person.name == first["people"][0]["name"])
    checks.equal("a number that may be read is read", head.sensitive.id_number, first["people"][0]["id_number"])
    checks.that("a number has its mask", "*" in (head.masked_id or ""), head.masked_id)
    checks.equal("a tag tells its proof", [(tag.code, tag.proof) for tag in head.tags], [("lives-alone", "社区证明")])


def writes(checks, wang, data):
    checks.chapter("a morning without network")
    wang.facts.network = pocketbook.Network.NONE
    book = wang.book
    household = wang.households()[3]
    person = book.household(household.id).people[0]

    edit_phone(wang, person, "15400009999")
    shown = next(one for one in book.household(household.id).people if one.id == person.id)
    checks.equal("an edit is shown at once", shown.sensitive.phone, "15400009999")
    checks.that("… with its badge 待同步", shown.sensitive.badges.is_waiting)

    number = residents.identity_number("610402", "1951-07-09", 21)
    added = book.add_person(
        pocketbook.NewPerson(
            household=household.id, name="新来的郑奶奶", sex="female", birth="1951-07-09", id_number=number
        )
    )
    checks.that("a resident is added", any(one.id == added.record for one in book.household(household.id).people))
    before = book.status().waiting
    checks.refused(
        "a wrong identity number is refused by its field",
        PocketbookError.CorrectField,
        lambda: book.add_person(pocketbook.NewPerson(household=household.id, name="某", id_number="123")),
        field="id_number",
    )
    checks.equal("… and nothing of that resident is saved", book.status().waiting, before)

    photo = (data / "photos/real/oppo_13mp_gps.jpg").read_bytes()
    sign = (data / "photos/real/sony_roadsign_gps_direction.jpg").read_bytes()
    book.record_visit(
        pocketbook.NewVisit(household=household.id, purpose="care", result="met", note="一切都好", people=[person.id])
    )
    visits = book.household(household.id).visits
    checks.equal("a visit is in the file", [(visit.result, visit.people) for visit in visits], [("met", [person.id])])

    reported = book.report_issue(
        pocketbook.NewIssue(grid=GRID, category="E0205", place="3号楼门口", text="招牌松动", photos=[photo, sign])
    )
    case = book.case(reported.record)
    checks.equal("an issue is reported with two photos", (case.expect.state, len(case.photos)), ("submitted", 2))
    checks.refused(
        "HEIC is refused by its name",
        PocketbookError.PhotoUnusable,
        lambda: book.add_photo(
            book.draft_case('{"grid":"%s"}' % GRID),
            (data / "photos/real/small_no_exif.heic").read_bytes(),
            pocketbook.Size.MASTER,
        ),
    )
    draft = book.drafts()[0]
    book.discard_draft(draft.id)
    checks.equal("a draft thrown away is gone", book.drafts(), [])

    mistake = book.edit("household", household.id, household.rev, [change("door_code", None, "0000")])
    book.withdraw(mistake.mutation)
    checks.that("work not yet sent is taken back", book.household(household.id).household.door_code is None)

    checks.refused("without network a sync says so", PocketbookError.Retry, lambda: run(book.sync_now()))
    status = book.status()
    checks.that("the status counts what waits", status.waiting >= 5 and status.photos == 2, vars(status))
    wang.facts.network = pocketbook.Network.UNMETERED
    return household, person, reported.record


def reaches_the_desk(checks, wang, desk, identity):
    checks.chapter("network again")
    report = run(wang.book.sync_now())
    checks.that("work is handed in and settled", report.settled >= 5 and report.photos == 2, vars(report))
    checks.that("the status says 已同步", wang.book.status().state.is_synced(), vars(wang.book.status()))

    listed = [item["id"] for item in desk.get("/v1/desk/cases")["items"]]
    checks.that("the desk's list has the case", str(identity) in listed, listed)
    body = desk.case(identity)["body"]
    checks.equal("the desk reads what was reported", (body["text"], body["state"]), ("招牌松动", "submitted"))
    shown = wang.book.case(identity)
    checks.equal("the desk knows its photos", sorted(body["photos"]), sorted(shown.photos))
    for digest in shown.photos:
        stored = desk.file(digest)
        checks.equal("a photo arrived byte for byte", hashlib.sha256(stored).hexdigest(), digest)
        checks.equal("… and is noted as stored", wang.book.photo_state(digest), pocketbook.PhotoState.STORED)

    desk.step(identity, "accept")
    run(wang.book.sync_now())
    shown = wang.book.case(identity)
    checks.equal("what the desk did is on the phone", shown.expect.state, "accepted")
    checks.that("… with the official number", (shown.number or "").startswith("QD-"), shown.number)
    checks.equal("… and its history", [step.command for step in shown.steps], ["report", "accept"])


def neighbour_looks_at_photos(checks, li, identity):
    shown = li.book.case(identity)
    digest = shown.photos[0]
    checks.equal("a photo of hers is named, not here", li.book.photo(digest, pocketbook.Rendering.MASTER), None)
    run(li.book.fetch_photo("case", identity, digest))
    here = li.book.photo(digest, pocketbook.Rendering.MASTER)
    checks.equal("looked at, it is fetched byte for byte", hashlib.sha256(here).hexdigest(), digest)
    checks.that("… and has a thumbnail", li.book.photo(digest, pocketbook.Rendering.THUMBNAIL) is not None)
    checks.refused(
        "a photo that the record doesn't name",
        pocketbook.PocketbookError.NotFound,
        lambda: run(li.book.fetch_photo("case", identity, "0" * 64)),
    )


def neighbour_sees(checks, server, folder, login, household, person):
    checks.chapter("the neighbour's phone")
    li = Phone(folder / "li", server.url)
    run(li.book.enrol(server.code_for(login), "neighbour"))
    run(li.book.sync_now())
    file = li.book.household(household.id)
    shown = next(one for one in file.people if one.id == person.id)
    checks.equal("an edit is on the neighbour's phone", shown.sensitive.phone, "15400009999")
    checks.that("a new resident too", any(one.name == "新来的郑奶奶" for one in file.people))
    checks.equal("a visit too", len(file.visits), 1)
    return li


def disagreement(checks, wang, li, person):
    checks.chapter("a disagreement")
    run(wang.book.sync_now())
    for phone, number in ((wang, "15411110000"), (li, "15422220000")):
        edit_phone(phone, phone.people()[person.name], number)
    for phone in (wang, li, wang):
        run(phone.book.sync_now())
    reviews = wang.book.reviews(record=person.id)
    checks.equal("two numbers for one phone are one review", [review.path for review in reviews], ["phone"])
    review = reviews[0]
    values = {json.loads(one.value_json) for one in review.candidates if one.value_json}
    checks.that("no number is lost", {"15411110000", "15422220000"} <= values, values)
    checks.equal("mine is mine", review.mine and review.mine.value_json, '"15411110000"')
    checks.that("the record is marked 有冲突", wang.people()[person.name].sensitive.badges.is_in_conflict)

    wang.book.decide(review, pocketbook.Take.CANDIDATE(review.mine.id))
    for phone in (wang, li):
        run(phone.book.sync_now())
    for phone in (wang, li):
        checks.equal("what was decided is shown everywhere", phone.people()[person.name].sensitive.phone, "15411110000")
        checks.equal("… and nothing is left to review", phone.book.reviews(record=person.id), [])


def a_step_too_far(checks, wang, li, identity):
    checks.chapter("a step that is another's")
    book = wang.book
    offered = {offer.command for offer in book.commands("case", identity)}
    checks.that("the desk's steps are not offered", "void" not in offered, offered)
    shown = book.case(identity)
    book.command("case", identity, shown.rev, shown.expect, "void", '{"reason":"误报"}')
    run(book.sync_now())
    item = book.tray()[0]
    checks.equal("it is parked", (item.command, item.expect.state, item.is_mine), ("void", "parked", True))

    run(li.book.sync_now())
    item = li.book.tray()[0]
    checks.equal("it waits for the head", (item.command, item.is_mine), ("void", False))
    li.book.refuse(item, "由综合窗口办理")
    run(li.book.sync_now())
    run(book.sync_now())
    item = book.tray()[0]
    checks.equal("refused, it comes back as 需修改", item.expect.state, "rejected")
    checks.that("the status asks to look", book.status().state.is_needs_attention(), vars(book.status()))
    book.discard(item)
    run(book.sync_now())
    checks.equal("discarded, it is gone", book.tray(), [])
    checks.that("the status says 已同步", book.status().state.is_synced(), vars(book.status()))


def correction(checks, wang):
    checks.chapter("a report that lacks something")
    book = wang.book
    report = pocketbook.FirstCommand(name="report")
    fields = {"grid": GRID, "sort": "issue", "place": "西门"}
    try:
        book.create("case", json.dumps(fields), first=report)
        checks.that("it is refused before it is saved", False, "it was saved")
    except pocketbook.PocketbookError.CorrectField as refused:
        checks.equal("it is refused before it is saved, by name", refused.field, "category")
    created = book.create("case", json.dumps(fields | {"category": "E0205"}), first=report)
    run(book.sync_now())
    checks.equal("corrected, it is taken", book.case(created.record).expect.state, "submitted")
    checks.equal("… and the tray is empty", book.tray(), [])


def background(checks, wang, li, person):
    checks.chapter("in the background")
    watcher = Watcher()
    wang.book.watch(watcher)
    wang.book.start_background_sync()
    edit_phone(wang, wang.people()[person.name], "15433330000")
    until = time.monotonic() + 30
    while wang.book.status().waiting and time.monotonic() < until:
        watcher.ended.wait(1)
        watcher.ended.clear()
    checks.that("authored work goes out by itself", wang.book.status().waiting == 0, vars(wang.book.status()))
    wang.book.stop_background_sync()
    run(li.book.sync_now())
    checks.equal("… and arrives", li.people()[person.name].sensitive.phone, "15433330000")


def pocket_book(checks, wang):
    checks.chapter("the pocket book, with the server gone")
    book = wang.book
    checks.that("its edition is known", book.book_version(COMMUNITY) is not None)
    titles = book.articles("service-guides")
    checks.that("a part has its articles", len(titles) > 0)
    article = json.loads(book.article(titles[0].id))
    checks.equal("an article is read as it was published", article["title"], titles[0].title)
    parts = {part.part: part.articles for part in book.book_parts()}
    checks.equal("the list of parts counts them", parts.get("service-guides"), len(titles))


def platform_uploads(checks, wang, desk, data):
    checks.chapter("the platform's own uploader")
    book = wang.book
    photo = (data / "photos/real/htc_parking_gps.jpg").read_bytes()
    issue = pocketbook.NewIssue(grid=GRID, category="E0205", place="停车场", photos=[photo])
    digest = book.case(book.report_issue(issue).record).photos[0]
    jobs = run(book.next_upload_jobs(most=5))
    checks.equal("a waiting photo is a job", [job.hash for job in jobs], [digest])
    job = jobs[0]
    status, headers = put(job)
    book.report_upload(digest, status, headers)
    checks.equal("what the uploader delivered is noted as stored", book.photo_state(digest), pocketbook.PhotoState.STORED)
    checks.that("its plain copy is gone", not os.path.exists(job.file))
    checks.equal("no job is left", run(book.next_upload_jobs(most=5)), [])
    run(book.sync_now())
    checks.equal("the desk reads the photo", hashlib.sha256(desk.file(digest)).hexdigest(), digest)


def bad_calls(checks, wang):
    checks.chapter("calls that can't be right")
    book = wang.book
    some = wang.households()[0]
    checks.refused("an unknown record", PocketbookError.NotFound, lambda: book.household(uuid.uuid4()))
    checks.refused("a page that nobody turned to", PocketbookError.NotFound, lambda: book.households(limit=5, after="?"))
    checks.refused("an unknown kind", PocketbookError.CorrectField, lambda: book.records("planet", limit=5), field="kind")
    checks.refused(
        "a value that is not JSON",
        PocketbookError.CorrectField,
        lambda: book.edit(
            "household", some.id, some.rev, [pocketbook.Change(path="tenure", was_json=None, to_json="{")]
        ),
        field="tenure",
    )
    checks.refused("a hash that is none", PocketbookError.NotFound, lambda: book.photo("00", pocketbook.Rendering.MASTER))
    checks.equal("a photo that is not here is none", book.photo("00" * 32, pocketbook.Rendering.MASTER), None)


def closing(checks, server, wang, code, head):
    checks.chapter("locked, closed, opened again")
    book = wang.book
    book.lock()
    checks.refused("a locked book shows nothing", PocketbookError.Unlock, lambda: book.households(limit=5))
    checks.that("… but how it stands", book.status().state.is_synced())
    book.unlock()
    book.close_book()
    book.close_book()
    checks.refused("a closed book says so", PocketbookError.Closed, lambda: book.households(limit=5))
    checks.refused("… in waiting calls too", PocketbookError.Closed, lambda: run(book.sync_now()))
    wang.open()
    checks.equal("opened again, all is there", len(wang.households()), HOUSEHOLDS)
    checks.that("… and it still syncs", run(wang.book.sync_now()).exchanges > 0)

    checks.refused(
        "another account can't take the book over",
        PocketbookError.Enrol,
        lambda: run(wang.book.enrol(server.code_for(head), "driver")),
        why=pocketbook.EnrolFault.OTHER_ACCOUNT,
    )
    checks.that("… and it is still hers", run(wang.book.sync_now()).exchanges > 0)

    other = Phone(pathlib.Path(wang.account.folder + "-other"), server.url)
    checks.refused(
        "a code serves once",
        PocketbookError.Enrol,
        lambda: run(other.book.enrol(code, "second")),
        why=pocketbook.EnrolFault.USED_CODE,
    )
    checks.refused(
        "an address in clear is refused",
        PocketbookError.CorrectField,
        lambda: Phone(pathlib.Path(wang.account.folder + "-clear"), "http://example.org"),
        field="server",
    )


def the_day(checks, binary, data, folder):
    """Lives through the day."""
    server = Server(binary, folder / "server")
    set_up(server, data, folder)
    login, head = workers(data)
    with server:
        wang = Phone(folder / "wang", server.url)
        code = enrols(checks, server, wang, login)
        first_sync(checks, wang)
        household, person, identity = writes(checks, wang, data)
        desk = Desk(server.url, "desk", PASSWORD)
        reaches_the_desk(checks, wang, desk, identity)
        li = neighbour_sees(checks, server, folder, head, household, person)
        neighbour_looks_at_photos(checks, li, identity)
        disagreement(checks, wang, li, person)
        a_step_too_far(checks, wang, li, identity)
        correction(checks, wang)
        background(checks, wang, li, person)
        platform_uploads(checks, wang, desk, data)
        bad_calls(checks, wang)
        closing(checks, server, wang, code, head)
    pocket_book(checks, wang)
    wang.book.close_book()
    li.book.close_book()


def main():
    """Reads the command line, lives the day, counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, help="the server's binary")
    parser.add_argument("--data", required=True, type=pathlib.Path, help="the folder of test data")
    given = parser.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="pocketbook-") as folder:
        try:
            the_day(checks, os.path.abspath(given.server), given.data.resolve(), pathlib.Path(folder))
        except Exception as error:
            checks.that("the day was lived to its end", False, repr(error))
            log = pathlib.Path(folder) / "server.log"
            if log.exists():
                print(log.read_text(encoding="utf-8", errors="replace")[-4000:], file=sys.stderr)
            traceback.print_exc()
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
