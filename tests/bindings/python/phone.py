"""What a platform gives the book: a keystore, facts about the phone, an ear."""

import os
import threading

import pocketbook


class Keystore(pocketbook.KeyProvider):
    """Keeps keys in memory, as a phone's keystore would for ever."""

    def __init__(self):
        self.keys = {}

    def key(self, account, purpose):
        return self.keys.setdefault((account, purpose), os.urandom(32))

    def forget(self, account):
        self.keys = {name: key for name, key in self.keys.items() if name[0] != account}


class Facts(pocketbook.PhoneFacts):
    """A phone in the hand, with whatever network it is told to have."""

    def __init__(self):
        self.network = pocketbook.Network.UNMETERED

    def facts(self):
        return pocketbook.Facts(
            network=self.network, free_bytes=None, battery_percent=80, is_foreground=True
        )


class Watcher(pocketbook.SyncWatcher):
    """Notes what is stale."""

    def __init__(self):
        self.heard = []
        self.ended = threading.Event()

    def stale(self, what):
        self.heard.append(what)
        if what.is_ended():
            self.ended.set()


class Phone:
    """A device with a book on it."""

    def __init__(self, folder, url):
        self.account = pocketbook.Account(folder=str(folder), name="worker", server=url)
        self.keystore = Keystore()
        self.facts = Facts()
        self.book = None
        self.open()

    def open(self):
        """Opens the book, as the app does when it is started."""
        self.book = pocketbook.PocketBook.open(self.account, self.keystore, self.facts)
        return self.book

    def people(self):
        """Returns every resident in the book by name."""
        found = {}
        for household in self.households():
            for person in self.book.household(household.id).people:
                found[person.name] = person
        return found

    def households(self):
        """Returns all households, page by page."""
        rows, after = [], None
        while True:
            page = self.book.households(limit=20, after=after)
            rows.extend(page.rows)
            after = page.next
            if after is None:
                return rows
