//! The built program as an operator uses it: a new district, imports, a server that is asked
//! through its admin socket, a kill in the middle, a backup.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the test drives a real process with real files and a real socket"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use pocketbook_records::invitation::{Address, Invitation, Trust};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pocketbook-server");
const GRID: &str = "610402001001001";

fn run(dir: &Path, args: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(PROGRAM)
        .args(args)
        .env("POCKETBOOK_DIR", dir)
        .env_remove("POCKETBOOK_URL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn told(dir: &Path, args: &[&str]) -> String {
    let output = run(dir, args, "");
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{args:?}: {text}{error}");
    text
}

fn refused(dir: &Path, args: &[&str]) -> String {
    let output = run(dir, args, "");
    assert!(!output.status.success(), "{args:?} went through");
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// A server that ends with the test.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(dir: &Path) -> Self {
        Self::start_with(dir, &[])
    }

    fn start_with(dir: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(args)
            .env("POCKETBOOK_DIR", dir)
            .env_remove("POCKETBOOK_URL")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let (_, address) = line.trim().split_once("://").unwrap();
        Self {
            address: address.to_owned(),
            child,
        }
    }

    fn http(&self, request: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn org() -> String {
    json!({
        "district": {"code": "610402", "name": "秦都区"},
        "units": [
            {"code": "610402001", "level": "street", "name": "甲街道", "parent": "610402"},
            {"code": "610402001001", "level": "community", "name": "乙社区", "parent": "610402001"},
            {"code": GRID, "level": "grid", "name": "一网格", "parent": "610402001001"},
        ],
        "workers": [{"number": "W1", "name": "王", "role": "grid-worker", "unit": GRID}],
    })
    .to_string()
}

fn household(n: u32, grid: &str) -> String {
    json!({
        "grid": grid,
        "household": {
            "id": format!("00000000-0000-7000-8000-0000000{n:05}"),
            "place": {"compound": "小区", "building": "1", "unit": "1", "room": n.to_string()},
            "tenure": "own", "registration": "here",
        },
        "people": [{
            "id": format!("00000000-0000-7000-8000-0000001{n:05}"),
            "name": "张", "relation": "head", "sex": "male", "birth": "1950-03-02",
            "phone": "15412345678",
        }],
    })
    .to_string()
}

#[test]
fn an_operator_sets_a_district_up_and_serves_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("data");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let org = file("org.json", &org());
    let lines: Vec<String> = (0..50).map(|n| household(n, GRID)).collect();
    let people = file("people.ndjson", &lines.join("\n"));
    let wrong = [
        household(60, GRID),
        "{".into(),
        household(61, "nowhere"),
        household(62, GRID).replace("1541234", "x"),
        household(63, GRID),
    ];
    let wrong = file("wrong.ndjson", &wrong.join("\n"));

    let init = [
        "init",
        "--district-code",
        "610402",
        "--district-name",
        "秦都区",
    ];
    told(&dir, &init);
    refused(&dir, &init);

    // Without a server the program opens the directory itself.
    assert!(told(&dir, &["import-org", &org]).contains("3 units, 1 accounts, 1 duties"));
    assert!(told(&dir, &["import-org", &org]).contains("0 units, 0 accounts, 0 duties"));
    assert!(told(&dir, &["import-people", &people]).contains("150 records new, 0 known, 0 lines"));

    // With one, the same commands go through its socket.
    let serving = Serving::start(&dir);
    assert_eq!(serving.http("GET /v1/health", "")["status"], "ok");
    assert!(told(&dir, &["import-people", &people]).contains("0 records new, 150 known, 0 lines"));
    // What is right is taken; that something is left out is an end that a script notices.
    let bad = refused(&dir, &["import-people", &wrong]);
    assert!(bad.contains("6 records new, 0 known, 3 lines"), "{bad}");
    for line in ["line 2", "line 3", "line 4"] {
        assert!(bad.contains(line), "{bad}");
    }
    assert!(
        bad.contains("phone does not fit") && !bad.contains("x5678"),
        "{bad}"
    );

    let add = [
        "add-user",
        "--login",
        "clerk",
        "--name",
        "钱",
        "--password-stdin",
    ];
    assert!(run(&dir, &add, "correct horse\n").status.success());
    assert!(
        String::from_utf8(run(&dir, &add, "correct horse\n").stdout)
            .unwrap()
            .contains("taken")
    );
    told(&dir, &["grant", "clerk", "street-desk", "610402001"]);
    assert!(told(&dir, &["grant", "clerk", "street-desk", "610402001"]).contains("so already"));
    assert!(refused(&dir, &["grant", "nobody", "street-desk", "610402001"]).contains("nobody"));
    let signed_in = serving.http(
        "POST /v1/desk/session",
        r#"{"login":"clerk","password":"correct horse"}"#,
    );
    assert_eq!(signed_in["roles"], json!(["street-desk"]));

    let code = told(&dir, &["enrol-code", "W1"]);
    let invitation = Invitation::parse(code.lines().last().unwrap()).unwrap();
    assert_eq!(
        invitation.server,
        Address::new(&format!("http://{}", serving.address), Trust::Web).unwrap(),
        "where `serve` listens is where phones go"
    );
    let enrol = json!({
        "code": invitation.code.to_string(), "secret_hash": "00".repeat(32), "device": "test", "schema": 1,
    });
    let enrolled = serving.http("POST /v1/enrol", &enrol.to_string());
    assert_eq!(enrolled["name"], "王");
    assert_eq!(enrolled["bundle_key"], hex::encode(invitation.bundle.key.0));

    let backup = folder.path().join("backup").to_str().unwrap().to_owned();
    told(&dir, &["backup", &backup]);
    assert!(refused(&dir, &["backup", &backup]).contains("exists"));
    let copy = rusqlite_rows(&Path::new(&backup).join("pocketbook.db"));
    assert_eq!(copy, 156);

    // A killed server leaves a directory that the next one takes over.
    serving.signal("-KILL");
    drop(serving);
    let mut serving = Serving::start(&dir);
    assert_eq!(serving.http("GET /v1/health", "")["status"], "ok");
    assert!(told(&dir, &["doctor"]).contains("sound"));
    serving.signal("-TERM");
    assert!(serving.child.wait().unwrap().success());
    assert!(!dir.join("admin.sock").try_exists().unwrap());
}

fn rusqlite_rows(database: &Path) -> i64 {
    let connection = rusqlite::Connection::open(database).unwrap();
    connection
        .query_row("SELECT count(*) FROM records", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_phone_is_told_where_the_server_is_and_by_which_key_it_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("data");
    let made = rcgen::generate_simple_self_signed(["qindu.example".to_owned()]).unwrap();
    let (cert, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let district = ["--district-code", "610402", "--district-name", "秦都区"];
    told(&dir, &[&["init"], &district[..]].concat());
    told(&dir, &["add-user", "--login", "W1", "--name", "王"]);
    let own_key = rcgen::PublicKeyData::subject_public_key_info(&made.signing_key);
    let invited = |args: &[&str]| {
        let said = told(&dir, &[&["enrol-code", "W1"], args].concat());
        Invitation::parse(said.lines().last().unwrap())
            .unwrap()
            .server
    };

    // Nobody serves, and nobody said where.
    assert!(refused(&dir, &["enrol-code", "W1"]).contains("--url"));
    let serving = Serving::start_with(&dir, &["--cert", cert, "--key", key]);
    let own = invited(&[]);
    assert_eq!(own.url, format!("https://{}", serving.address));
    assert_eq!(own.trust, Trust::in_key(&own_key));
    drop(serving);

    let url = "https://pocketbook.qindu.example:8420";
    let _serving = Serving::start_with(&dir, &["--cert", cert, "--key", key, "--url", url]);
    assert_eq!(invited(&[]).url, url);
    let other = invited(&["--url", "https://other.example", "--ca", cert]);
    assert_eq!(other.url, "https://other.example");
    assert_eq!(other.trust, Trust::Authority(made.cert.der().to_vec()));
    let pinned = invited(&["--pin", &"ab".repeat(32)]);
    assert!(matches!(pinned.trust, Trust::Key(hash) if hash.0 == [0xab; 32]));
    assert!(refused(&dir, &["enrol-code", "W1", "--url", "nowhere"]).contains("--url"));
    assert!(refused(&dir, &["enrol-code", "W1", "--pin", "ab"]).contains("64"));
}

#[test]
fn an_open_address_needs_encryption() {
    let folder = tempfile::tempdir().unwrap();
    let init = [
        "init",
        "--district-code",
        "610402",
        "--district-name",
        "秦都区",
    ];
    told(folder.path(), &init);

    let sentence = refused(folder.path(), &["serve", "--listen", "0.0.0.0:0"]);

    assert!(sentence.contains("--cert"), "{sentence}");
}

#[test]
fn without_a_directory_the_program_says_what_to_give() {
    let output = Command::new(PROGRAM)
        .arg("doctor")
        .env_remove("POCKETBOOK_DIR")
        .output()
        .unwrap();

    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("POCKETBOOK_DIR")
    );
}
