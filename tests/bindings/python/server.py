"""The district's server as a process of its own: set up by its command line, asked over HTTP."""

import json
import os
import re
import subprocess
import urllib.error
import urllib.request
import uuid


class Server:
    """A server in a data directory. Leaving the `with` block ends it."""

    def __init__(self, binary, directory):
        self.binary = binary
        self.environment = {**os.environ, "POCKETBOOK_DIR": str(directory)}
        self.log = open(f"{directory}.log", "wb")
        self.process = None
        self.url = None

    def admin(self, *arguments, stdin=""):
        """Runs a subcommand and returns what it says."""
        done = subprocess.run(
            [self.binary, *map(str, arguments)],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{arguments[0]} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def invitation_for(self, login):
        """Returns what the QR code for a phone says, as the phone's camera reads it."""
        return self.admin("enrol-code", login).splitlines()[-1]

    def code_for(self, login):
        """Returns a one-time enrolment code, as it is read aloud."""
        return re.search(r"Code: (\S+)", self.admin("enrol-code", login)).group(1)

    def __enter__(self):
        self.process = subprocess.Popen(
            [self.binary, "serve", "--listen", "127.0.0.1:0"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        for line in self.process.stdout:
            found = re.match(r"listening (http://\S+)", line)
            if found:
                self.url = found.group(1)
                return self
        raise RuntimeError("the server ended before it listened")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        finally:
            self.process.kill()
            self.process.stdout.close()
            self.log.close()


class Desk:
    """Somebody at a desk, signed in over HTTP."""

    def __init__(self, url, login, password):
        self.url = url
        self.headers = {"content-type": "application/json"}
        session = self.post("/v1/desk/session", {"login": login, "password": password})
        self.headers["authorization"] = f"Bearer {session['token']}"

    def get(self, path):
        """Returns what an address answers, JSON."""
        return json.loads(self._send("GET", path, None))

    def post(self, path, body):
        """Hands a body in and returns the answer, JSON."""
        return json.loads(self._send("POST", path, json.dumps(body).encode()))

    def file(self, digest):
        """Returns the bytes of a photo."""
        return self._send("GET", f"/v1/blobs/{digest}", None)

    def case(self, identity):
        """Returns a case with its history."""
        return self.get(f"/v1/desk/cases/{identity}")

    def step(self, identity, command, **args):
        """Takes a step of the loop on a case as it stands."""
        body = self.case(identity)["body"]
        expect = {"state": body["state"], "turn": body["turn"], "after": body["transition"]}
        step = {"mid": str(uuid.uuid4()), "expect": expect, "args": args}
        return self.post(f"/v1/desk/cases/{identity}/commands/{command}", step)

    def _send(self, method, path, body):
        request = urllib.request.Request(self.url + path, body, self.headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error


def put(job):
    """Carries an upload job out as a platform's uploader does; returns status and headers."""
    with open(job.file, "rb") as file:
        request = urllib.request.Request(job.url, file.read(), job.headers, method="PATCH")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}
