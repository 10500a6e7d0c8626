//! The bare work of a sync on our stack (axum, rusqlite in WAL with synchronous=FULL at both ends):
//! outbox -> NDJSON -> zstd-1 -> POST -> one writer thread, up to 64 waiting pushes a commit ->
//! reply -> outbox rows deleted; pull by number -> zstd-1 -> one transaction. Whole records travel.
//!
//! bare: one receipt row a push. lean: the current row is read and compared, a journal row each.
//! full: a savepoint and a receipt row each, and generic JSON values.
//!
//!     limits floor W1..W6 --mode bare|lean|full --data D --work W --n N [--batch 2000]
use super::{emit, fresh, lines, peak_mb};
use rusqlite::Connection;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{mpsc, Arc};
use std::time::Instant;
use tokio::sync::oneshot;

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Bare,
    Lean,
    Full,
}

#[derive(serde::Deserialize)]
struct Head<'a> {
    id: &'a str,
}

fn open(dir: &Path) -> Connection {
    std::fs::create_dir_all(dir).unwrap();
    let c = Connection::open(dir.join("t.db")).unwrap();
    c.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY").unwrap();
    c
}

const SERVER: &str = "CREATE TABLE IF NOT EXISTS h(seq INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS hs ON h(seq);
    CREATE TABLE IF NOT EXISTS receipt(k INTEGER PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS journal(k INTEGER PRIMARY KEY, id TEXT NOT NULL, body TEXT NOT NULL)";
const CLIENT: &str = "CREATE TABLE h(seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
    CREATE TABLE outbox(k INTEGER PRIMARY KEY, body TEXT NOT NULL)";

type Push = (Vec<u8>, oneshot::Sender<i64>);

/// Applies one push; returns the new head.
fn push(c: &Connection, body: &[u8], mode: Mode, seq: &mut i64) {
    let text = zstd::stream::decode_all(body).unwrap();
    let text = std::str::from_utf8(&text).unwrap();
    let mut ids = Vec::new();
    for l in text.lines() {
        let h: Head = serde_json::from_str(l).unwrap();
        if mode == Mode::Full {
            c.execute_batch("SAVEPOINT s").unwrap();
        }
        if mode != Mode::Bare {
            let had: String = c.prepare_cached("SELECT body FROM h WHERE id=?1").unwrap().query_row([h.id], |r| r.get(0)).unwrap();
            let same = if mode == Mode::Full {
                serde_json::from_str::<Value>(&had).unwrap() == serde_json::from_str::<Value>(l).unwrap()
            } else {
                had == l
            };
            std::hint::black_box(same);
            c.prepare_cached("INSERT INTO journal(id,body) VALUES(?1,?2)").unwrap().execute((h.id, l)).unwrap();
        }
        *seq += 1;
        c.prepare_cached("UPDATE h SET body=?2, seq=?3 WHERE id=?1").unwrap().execute((h.id, l, *seq)).unwrap();
        if mode == Mode::Full {
            c.prepare_cached("INSERT INTO receipt(body) VALUES(?1)").unwrap().execute([h.id]).unwrap();
            c.execute_batch("RELEASE s").unwrap();
        } else {
            ids.push(h.id);
        }
    }
    if mode != Mode::Full {
        c.prepare_cached("INSERT INTO receipt(body) VALUES(?1)").unwrap().execute([ids.join(" ")]).unwrap();
    }
}

fn writer(dir: PathBuf, mode: Mode, rx: mpsc::Receiver<Push>) {
    let c = open(&dir);
    c.execute_batch(SERVER).unwrap();
    let mut seq: i64 = c.query_row("SELECT COALESCE(MAX(seq),0) FROM h", [], |r| r.get(0)).unwrap();
    while let Ok(first) = rx.recv() {
        let mut group = vec![first];
        while group.len() < 64 {
            let Ok(next) = rx.try_recv() else { break };
            group.push(next);
        }
        c.execute_batch("BEGIN IMMEDIATE").unwrap();
        for (body, _) in &group {
            push(&c, body, mode, &mut seq);
        }
        c.execute_batch("COMMIT").unwrap();
        for (_, reply) in group {
            let _ = reply.send(seq);
        }
    }
}

fn pull(c: &Connection, after: i64) -> Vec<u8> {
    let mut out = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    let mut st = c.prepare_cached("SELECT seq, body FROM h WHERE seq>?1 ORDER BY seq").unwrap();
    let mut rows = st.query([after]).unwrap();
    while let Some(r) = rows.next().unwrap() {
        let seq: i64 = r.get(0).unwrap();
        write!(out, "{seq} ").unwrap();
        out.write_all(r.get_ref(1).unwrap().as_str().unwrap().as_bytes()).unwrap();
        out.write_all(b"\n").unwrap();
    }
    out.finish().unwrap()
}

/// The server: a process of its own.
pub fn serve(dir: PathBuf, mode: &str, port: u16) {
    use axum::{body::Bytes, extract::Path as P, routing::{get, post, put}, Router};
    let mode = named(mode);
    let (tx, rx) = mpsc::channel::<Push>();
    let d = dir.clone();
    std::thread::spawn(move || writer(d, mode, rx));
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.block_on(async move {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let reader = Arc::new(std::sync::Mutex::new(open(&dir)));
        let dir = Arc::new(dir);
        let (up, down) = (dir.clone(), dir);
        let app = Router::new()
            .route("/push", post(move |b: Bytes| {
                let tx = tx.clone();
                async move {
                    let (reply, answer) = oneshot::channel();
                    tx.send((b.to_vec(), reply)).unwrap();
                    answer.await.unwrap().to_string()
                }
            }))
            .route("/pull/{after}", get(move |P(after): P<i64>| {
                let r = reader.clone();
                async move { tokio::task::spawn_blocking(move || pull(&r.lock().unwrap(), after)).await.unwrap() }
            }))
            .route("/blob/{name}", put(move |P(name): P<String>, b: Bytes| {
                let d = up.clone();
                async move {
                    tokio::task::spawn_blocking(move || {
                        let hash: String = Sha256::digest(&b).iter().map(|x| format!("{x:02x}")).collect();
                        let mut f = std::fs::File::create(d.join(format!("b{name}"))).unwrap();
                        f.write_all(&b).unwrap();
                        f.sync_data().unwrap();
                        hash
                    }).await.unwrap()
                }
            }).get(move |P(name): P<String>| {
                let d = down.clone();
                async move { tokio::fs::read(d.join(format!("b{name}"))).await.unwrap() }
            }))
            .layer(axum::extract::DefaultBodyLimit::disable());
        let l = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        println!("READY");
        axum::serve(axum::serve::ListenerExt::tap_io(l, |s| { let _ = s.set_nodelay(true); }), app).await.unwrap();
    });
}

fn named(mode: &str) -> Mode {
    match mode {
        "bare" => Mode::Bare,
        "lean" => Mode::Lean,
        _ => Mode::Full,
    }
}

struct Device {
    c: Connection,
    agent: ureq::Agent,
    base: String,
    seq: i64,
}

impl Device {
    fn new(dir: &Path, base: &str) -> Self {
        fresh(dir);
        let c = open(dir);
        c.execute_batch(CLIENT).unwrap();
        Device { c, agent: ureq::Agent::new_with_defaults(), base: base.into(), seq: 0 }
    }

    fn pull(&mut self) -> usize {
        let r = self.agent.get(format!("{}/pull/{}", self.base, self.seq)).call().unwrap();
        let mut text = String::new();
        zstd::stream::read::Decoder::new(r.into_body().into_reader()).unwrap().read_to_string(&mut text).unwrap();
        if text.is_empty() {
            return 0;
        }
        let mut n = 0;
        self.c.execute_batch("BEGIN IMMEDIATE").unwrap();
        for l in text.lines() {
            let (seq, body) = l.split_once(' ').unwrap();
            let h: Head = serde_json::from_str(body).unwrap();
            self.seq = seq.parse().unwrap();
            self.c.prepare_cached("INSERT INTO h(seq,id,body) VALUES(?1,?2,?3) ON CONFLICT(id) DO UPDATE SET seq=?1, body=?3").unwrap()
                .execute((self.seq, h.id, body)).unwrap();
            n += 1;
        }
        self.c.execute_batch("COMMIT").unwrap();
        n
    }

    fn edit(&self, edits: &[String]) {
        self.c.execute_batch("BEGIN IMMEDIATE").unwrap();
        for l in edits {
            let h: Head = serde_json::from_str(l).unwrap();
            self.c.prepare_cached("UPDATE h SET body=?2 WHERE id=?1").unwrap().execute((h.id, l)).unwrap();
            self.c.prepare_cached("INSERT INTO outbox(body) VALUES(?1)").unwrap().execute([l]).unwrap();
        }
        self.c.execute_batch("COMMIT").unwrap();
    }

    fn push(&mut self, batch: usize) {
        loop {
            let mut out = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
            let mut last = 0i64;
            {
                let mut st = self.c.prepare_cached("SELECT k, body FROM outbox ORDER BY k LIMIT ?1").unwrap();
                let mut rows = st.query([batch as i64]).unwrap();
                while let Some(r) = rows.next().unwrap() {
                    last = r.get(0).unwrap();
                    out.write_all(r.get_ref(1).unwrap().as_str().unwrap().as_bytes()).unwrap();
                    out.write_all(b"\n").unwrap();
                }
            }
            if last == 0 {
                return;
            }
            let body = out.finish().unwrap();
            self.agent.post(format!("{}/push", self.base)).send(&body[..]).unwrap().into_body().read_to_string().unwrap();
            self.c.execute("DELETE FROM outbox WHERE k<=?1", [last]).unwrap();
        }
    }
}

/// Runs one workload against a server of its own.
pub fn run(workload: &str, data: &Path, work: &Path, n: usize, rep: usize, mode: &str, batch: usize) {
    let dir = work.join(format!("floor-{mode}"));
    fresh(&dir);
    {
        let c = open(&dir.join("srv"));
        c.execute_batch(SERVER).unwrap();
        c.execute_batch("BEGIN").unwrap();
        for (k, l) in lines(data, n).iter().enumerate() {
            let h: Head = serde_json::from_str(l).unwrap();
            c.prepare_cached("INSERT INTO h(seq,id,body) VALUES(?1,?2,?3)").unwrap().execute((k as i64 + 1, h.id, l)).unwrap();
        }
        c.execute_batch("COMMIT").unwrap();
    }
    let port = 7931;
    let mut server = start(&dir.join("srv"), mode, port);
    let base = format!("http://127.0.0.1:{port}");
    let edits = |name: &str, m: usize| -> Vec<String> {
        std::fs::read_to_string(data.join(format!("{name}.ndjson"))).unwrap().lines().take(m).map(str::to_owned).collect()
    };
    let name = format!("{workload}_floor_{mode}");
    match workload {
        "W1" => {
            let t = Instant::now();
            let mut a = Device::new(&dir.join("a"), &base);
            assert_eq!(a.pull(), n);
            emit(&name, n, rep, t.elapsed().as_secs_f64(), json!({"client_peak_rss_mb": peak_mb()}));
        }
        "W2" => {
            for m in [1000, 20000] {
                let mut a = Device::new(&dir.join("a"), &base);
                a.pull();
                a.edit(&edits("edits", m));
                let t = Instant::now();
                a.push(if batch == 0 { m } else { batch });
                emit(&name, m, rep, t.elapsed().as_secs_f64(), json!({"batch": batch}));
            }
        }
        "W3" => {
            let (mut a, mut b) = (Device::new(&dir.join("a"), &base), Device::new(&dir.join("b"), &base));
            a.pull();
            b.pull();
            a.edit(&edits("edits3-a", 1000));
            b.edit(&edits("edits3-b", 1000));
            let t = Instant::now();
            for d in [0, 1, 0] {
                let d = if d == 0 { &mut a } else { &mut b };
                d.push(2000);
                d.pull();
            }
            emit(&name, n, rep, t.elapsed().as_secs_f64(), json!({}));
        }
        "W4" => {
            let photos: Vec<Vec<u8>> = (0..100).map(|i| std::fs::read(data.join(format!("photos/p{i:03}.jpg"))).unwrap()).collect();
            let agent = ureq::Agent::new_with_defaults();
            let t = Instant::now();
            for (i, p) in photos.iter().enumerate() {
                agent.put(format!("{base}/blob/{i}")).send(&p[..]).unwrap().into_body().read_to_string().unwrap();
            }
            let up = t.elapsed().as_secs_f64();
            for i in 0..photos.len() {
                let p = agent.get(format!("{base}/blob/{i}")).call().unwrap().into_body().read_to_vec().unwrap();
                std::hint::black_box(Sha256::digest(&p));
                let mut f = std::fs::File::create(dir.join(format!("down{i}"))).unwrap();
                f.write_all(&p).unwrap();
                f.sync_data().unwrap();
            }
            let all = t.elapsed().as_secs_f64();
            emit(&name, n, rep, all, json!({"up_s": up, "down_s": all - up}));
        }
        "W5" => {
            let (mut a, mut b) = (Device::new(&dir.join("a"), &base), Device::new(&dir.join("b"), &base));
            a.pull();
            b.pull();
            let (mut one, mut none) = (Vec::new(), Vec::new());
            for l in edits("edits", 20) {
                a.edit(&[l]);
                let t = Instant::now();
                a.push(2000);
                b.pull();
                one.push(t.elapsed().as_secs_f64() * 1e3);
                let t = Instant::now();
                assert_eq!(b.pull(), 0);
                none.push(t.elapsed().as_secs_f64() * 1e3);
            }
            one.sort_by(f64::total_cmp);
            none.sort_by(f64::total_cmp);
            emit(&name, n, rep, one[10] / 1e3, json!({"edit_to_seen_ms": one[10], "empty_ms": none[10]}));
        }
        _ => {
            let (all, rows) = (edits("edits", 10000), lines(data, 10000));
            let devices: Vec<Device> = all.chunks(50).enumerate().map(|(i, own)| {
                let d = Device::new(&dir.join(format!("d{i}")), &base);
                d.c.execute_batch("BEGIN").unwrap();
                for l in &rows[i * 50..i * 50 + 50] {
                    let h: Head = serde_json::from_str(l).unwrap();
                    d.c.execute("INSERT INTO h(id,body) VALUES(?1,?2)", (h.id, l)).unwrap();
                }
                d.c.execute_batch("COMMIT").unwrap();
                d.edit(own);
                d
            }).collect();
            let t = Instant::now();
            let threads: Vec<_> = devices.into_iter().map(|mut d| std::thread::spawn(move || {
                let t = Instant::now();
                d.push(2000);
                t.elapsed().as_secs_f64() * 1e3
            })).collect();
            let mut ms: Vec<f64> = threads.into_iter().map(|h| h.join().unwrap()).collect();
            let s = t.elapsed().as_secs_f64();
            ms.sort_by(f64::total_cmp);
            emit(&name, 10000, rep, s, json!({"edits_per_s": 10000.0 / s, "p50_ms": ms[100], "p99_ms": ms[198], "errors": 0}));
        }
    }
    let _ = server.kill();
    let _ = server.wait();
}

fn start(dir: &Path, mode: &str, port: u16) -> Child {
    let mut p = Command::new(std::env::current_exe().unwrap())
        .args(["floor-server", "--work"])
        .arg(dir)
        .args(["--mode", mode, "--port", &port.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut b = [0u8; 6];
    p.stdout.as_mut().unwrap().read_exact(&mut b).unwrap();
    p
}
