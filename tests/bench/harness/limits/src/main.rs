//! Physical limits of this machine on the generated rows. Each sub-command
//! prints one JSON object a line. See ../README.md.
mod floor;
mod link;

use serde::{Deserialize, Serialize};
use serde_json::{json, Value};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Deserialize)]
struct Row {
    id: String,
    grid: String,
    address: String,
    notes: String,
    updated_at: String,
    residents: Vec<Res>,
}
#[derive(Deserialize)]
struct Res {
    name: String,
}
/// What a store that keeps the JSON as it came needs to know of a record.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    grid: std::borrow::Cow<'a, str>,
}
#[derive(Serialize, Deserialize)]
struct FullRes {
    name: String,
    sex: String,
    birth: String,
    phone: String,
    idno: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}
#[derive(Serialize, Deserialize)]
struct Full {
    id: String,
    grid: String,
    community: String,
    address: String,
    building: String,
    unit: String,
    door: String,
    residents: Vec<FullRes>,
    care: Vec<String>,
    notes: String,
    visits: u32,
    created_at: String,
    updated_at: String,
}

fn lines(data: &Path, n: usize) -> Vec<String> {
    let f = std::fs::File::open(data.join("households.ndjson")).expect("data");
    BufReader::with_capacity(1 << 20, f).lines().take(n).map(|l| l.unwrap()).collect()
}

fn emit(limit: &str, n: usize, rep: usize, secs: f64, extra: Value) {
    let mut o = json!({"peer":"limit","workload":limit,"n":n,"rep":rep,"wall_s":secs,
        "records_per_s": if secs > 0.0 { n as f64 / secs } else { 0.0 }, "load1": load1()});
    for (k, v) in extra.as_object().unwrap() {
        o[k] = v.clone();
    }
    println!("{o}");
}
fn load1() -> f64 {
    std::fs::read_to_string("/proc/loadavg").ok().and_then(|s| s.split(' ').next().map(|x| x.parse().unwrap_or(0.0))).unwrap_or(0.0)
}
fn peak_mb() -> f64 {
    let s = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    s.lines().find(|l| l.starts_with("VmHWM")).and_then(|l| l.split_whitespace().nth(1)).and_then(|x| x.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
fn disk(dir: &Path) -> u64 {
    std::fs::read_dir(dir).map(|d| d.flatten().map(|e| e.metadata().map(|m| m.len()).unwrap_or(0)).sum()).unwrap_or(0)
}
fn fresh(dir: &Path) {
    let _ = std::fs::remove_dir_all(dir);
    std::fs::create_dir_all(dir).unwrap();
}
fn open(dir: &Path, sync: &str) -> rusqlite::Connection {
    let c = rusqlite::Connection::open(dir.join("t.db")).unwrap();
    #[cfg(feature = "cipher")]
    c.execute_batch("PRAGMA key = 'correct horse battery staple';").unwrap();
    c.execute_batch(&format!("PRAGMA journal_mode=WAL; PRAGMA synchronous={sync}; PRAGMA cache_size=-16000; PRAGMA temp_store=MEMORY;")).unwrap();
    c
}

const SCHEMA: &[(&str, &str)] = &[
    ("append", "CREATE TABLE h(seq INTEGER PRIMARY KEY, id TEXT NOT NULL, grid TEXT, body TEXT NOT NULL)"),
    ("pk", "CREATE TABLE h(id TEXT PRIMARY KEY, grid TEXT, body TEXT NOT NULL) WITHOUT ROWID"),
    ("rowid_uniq", "CREATE TABLE h(seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, grid TEXT, body TEXT NOT NULL)"),
    ("rowid_uniq_grid", "CREATE TABLE h(seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, grid TEXT, body TEXT NOT NULL); CREATE INDEX hg ON h(grid)"),
    ("fts_unicode61", "CREATE TABLE h(seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, grid TEXT, body TEXT NOT NULL); CREATE INDEX hg ON h(grid); CREATE VIRTUAL TABLE f USING fts5(address, names, notes, content='', tokenize='unicode61')"),
    ("fts_trigram", "CREATE TABLE h(seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, grid TEXT, body TEXT NOT NULL); CREATE INDEX hg ON h(grid); CREATE VIRTUAL TABLE f USING fts5(address, names, notes, content='', tokenize='trigram', detail='none')"),
];

/// Raw prepared-statement inserts. parse=false: id and grid were parsed before
/// the clock starts; parse=true: each line is parsed inside the clock.
fn sqlite(data: &Path, work: &Path, n: usize, rep: usize, variant: &str, parse: bool, batch: usize) {
    let ls = lines(data, n);
    let pre: Vec<Row> = ls.iter().map(|l| serde_json::from_str(l).unwrap()).collect();
    let names: Vec<String> = pre.iter().map(|r| r.residents.iter().map(|x| x.name.as_str()).collect::<Vec<_>>().join(" ")).collect();
    let dir = work.join("sqlite");
    fresh(&dir);
    let mut c = open(&dir, "NORMAL");
    c.execute_batch(SCHEMA.iter().find(|s| s.0 == variant).expect("variant").1).unwrap();
    let fts = variant.starts_with("fts");
    let t = Instant::now();
    let mut i = 0;
    while i < n {
        let end = (i + batch).min(n);
        let tx = c.transaction().unwrap();
        {
            let sql = if variant == "pk" { "INSERT INTO h(id,grid,body) VALUES(?1,?2,?3)" } else { "INSERT INTO h(id,grid,body,seq) VALUES(?1,?2,?3,?4)" };
            let mut st = tx.prepare(sql).unwrap();
            let mut sf = if fts { Some(tx.prepare("INSERT INTO f(rowid,address,names,notes) VALUES(?1,?2,?3,?4)").unwrap()) } else { None };
            for k in i..end {
                let owned;
                let (id, grid): (&str, &str) = if parse {
                    owned = serde_json::from_str::<Head>(&ls[k]).unwrap();
                    (&owned.id, &owned.grid)
                } else {
                    (&pre[k].id, &pre[k].grid)
                };
                if variant == "pk" {
                    st.execute((id, grid, &ls[k])).unwrap();
                } else {
                    st.execute((id, grid, &ls[k], k as i64 + 1)).unwrap();
                }
                if let Some(sf) = sf.as_mut() {
                    sf.execute((k as i64 + 1, &pre[k].address, &names[k], &pre[k].notes)).unwrap();
                }
            }
        }
        tx.commit().unwrap();
        i = end;
    }
    let commit = t.elapsed().as_secs_f64();
    let t2 = Instant::now();
    c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let ck = t2.elapsed().as_secs_f64();
    let cipher = cfg!(feature = "cipher");
    let _ = &pre[0].updated_at;
    emit(&format!("sqlite_{}{}{}{}", variant, if parse { "_parse" } else { "" }, if batch < n { "_batched" } else { "" }, if cipher { "_sqlcipher" } else { "" }),
        n, rep, commit, json!({"checkpoint_s": ck, "disk_bytes": disk(&dir), "batch": batch}));
}

fn parse(data: &Path, n: usize, rep: usize) {
    let ls = lines(data, n);
    let bytes: usize = ls.iter().map(|l| l.len() + 1).sum();
    let mb = bytes as f64 / 1e6;
    let t = Instant::now();
    let mut k = 0usize;
    for l in &ls { let h: Head = serde_json::from_str(l).unwrap(); k += h.id.len() + h.grid.len(); }
    let s = t.elapsed().as_secs_f64();
    emit("json_parse_head", n, rep, s, json!({"mb_per_s": mb / s}));
    let t = Instant::now();
    for l in &ls { let h: Full = serde_json::from_str(l).unwrap(); k += h.residents.len(); }
    let s = t.elapsed().as_secs_f64();
    emit("json_parse_struct", n, rep, s, json!({"mb_per_s": mb / s}));
    let t = Instant::now();
    for l in &ls { let h: Value = serde_json::from_str(l).unwrap(); k += h.as_object().unwrap().len(); }
    let s = t.elapsed().as_secs_f64();
    emit("json_parse_value", n, rep, s, json!({"mb_per_s": mb / s}));
    let full: Vec<Full> = ls.iter().map(|l| serde_json::from_str(l).unwrap()).collect();
    let mut out = Vec::with_capacity(bytes);
    let t = Instant::now();
    for f in &full { serde_json::to_writer(&mut out, f).unwrap(); out.push(b'\n'); }
    let s = t.elapsed().as_secs_f64();
    emit("json_write_struct", n, rep, s, json!({"mb_per_s": out.len() as f64 / 1e6 / s}));
    std::hint::black_box(k);
}

fn compress(data: &Path, n: usize, rep: usize) {
    let all = lines(data, n).join("\n").into_bytes();
    let mb = all.len() as f64 / 1e6;
    for lvl in [1, 3, 9] {
        let t = Instant::now();
        let z = zstd::bulk::compress(&all, lvl).unwrap();
        let s = t.elapsed().as_secs_f64();
        let t = Instant::now();
        let back = zstd::bulk::decompress(&z, all.len()).unwrap();
        let d = t.elapsed().as_secs_f64();
        assert_eq!(back.len(), all.len());
        emit(&format!("zstd{lvl}"), n, rep, s, json!({"mb_per_s": mb / s, "decompress_mb_per_s": mb / d, "ratio": all.len() as f64 / z.len() as f64, "out_bytes": z.len()}));
    }
    let t = Instant::now();
    let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(3));
    e.write_all(&all).unwrap();
    let z = e.finish().unwrap();
    let s = t.elapsed().as_secs_f64();
    let t = Instant::now();
    let mut b = Vec::with_capacity(all.len());
    flate2::read::GzDecoder::new(&z[..]).read_to_end(&mut b).unwrap();
    let d = t.elapsed().as_secs_f64();
    emit("gzip3", n, rep, s, json!({"mb_per_s": mb / s, "decompress_mb_per_s": mb / d, "ratio": all.len() as f64 / z.len() as f64, "out_bytes": z.len()}));
}

fn fsync(work: &Path, rep: usize) {
    let dir = work.join("fsync");
    for sync in ["FULL", "NORMAL"] {
        fresh(&dir);
        let c = open(&dir, sync);
        c.execute_batch("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)").unwrap();
        let body = "x".repeat(700);
        let m = 2000;
        let t = Instant::now();
        let mut st = c.prepare("INSERT INTO t(b) VALUES(?1)").unwrap();
        for _ in 0..m { st.execute([&body]).unwrap(); }
        emit(&format!("sqlite_commit_{sync}"), m, rep, t.elapsed().as_secs_f64(), json!({}));
    }
    fresh(&dir);
    let mut f = std::fs::File::create(dir.join("raw")).unwrap();
    let buf = [7u8; 4096];
    let m = 2000;
    let t = Instant::now();
    for _ in 0..m { f.write_all(&buf).unwrap(); f.sync_data().unwrap(); }
    emit("fdatasync_4k_append", m, rep, t.elapsed().as_secs_f64(), json!({}));
}

fn pg(data: &Path, url: &str, n: usize, rep: usize) {
    let ls = lines(data, n);
    let pre: Vec<Row> = ls.iter().map(|l| serde_json::from_str(l).unwrap()).collect();
    let mut c = postgres::Client::connect(url, postgres::NoTls).unwrap();
    for ty in ["text", "jsonb"] {
        let reset = format!("DROP TABLE IF EXISTS h; CREATE TABLE h(id text PRIMARY KEY, grid text, body {ty} NOT NULL); CREATE INDEX ON h(grid); CHECKPOINT");
        c.batch_execute(&reset).unwrap();
        let t = Instant::now();
        {
            let mut w = c.copy_in("COPY h(id,grid,body) FROM STDIN").unwrap();
            let mut buf = String::with_capacity(1 << 20);
            for (l, r) in ls.iter().zip(&pre) {
                buf.push_str(&r.id); buf.push('\t'); buf.push_str(&r.grid); buf.push('\t');
                if l.contains('\\') { buf.push_str(&l.replace('\\', "\\\\")); } else { buf.push_str(l); }
                buf.push('\n');
                if buf.len() > 900_000 { w.write_all(buf.as_bytes()).unwrap(); buf.clear(); }
            }
            w.write_all(buf.as_bytes()).unwrap();
            w.finish().unwrap();
        }
        emit(&format!("pg_copy_{ty}"), n, rep, t.elapsed().as_secs_f64(), json!({}));
        c.batch_execute(&reset).unwrap();
        let st = c.prepare(&format!("INSERT INTO h SELECT a,b,c::{ty} FROM unnest($1::text[],$2::text[],$3::text[]) AS t(a,b,c)")).unwrap();
        let t = Instant::now();
        for k in (0..n).step_by(1000) {
            let e = (k + 1000).min(n);
            let ids: Vec<&str> = pre[k..e].iter().map(|r| r.id.as_str()).collect();
            let gs: Vec<&str> = pre[k..e].iter().map(|r| r.grid.as_str()).collect();
            let bs: Vec<&str> = ls[k..e].iter().map(|r| r.as_str()).collect();
            c.execute(&st, &[&ids, &gs, &bs]).unwrap();
        }
        emit(&format!("pg_insert_unnest1000_{ty}"), n, rep, t.elapsed().as_secs_f64(), json!({}));
        c.batch_execute(&reset).unwrap();
        let st = c.prepare(&format!("INSERT INTO h VALUES($1,$2,$3::text::{ty})")).unwrap();
        let m = n.min(2000);
        let t = Instant::now();
        for k in 0..m { c.execute(&st, &[&pre[k].id, &pre[k].grid, &ls[k]]).unwrap(); }
        emit(&format!("pg_insert_one_commit_{ty}"), m, rep, t.elapsed().as_secs_f64(), json!({}));
    }
}

/// Loopback server: GET /ping, GET /file/<name> from DIR, PUT /blob/<name> into DIR (fsynced).
fn httpd(dir: PathBuf, port: u16) {
    use axum::{body::Bytes, extract::Path as P, routing::{get, put}, Router};
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.block_on(async move {
        let d = std::sync::Arc::new(dir);
        let (d1, d2) = (d.clone(), d.clone());
        let app = Router::new()
            .route("/ping", get(|| async { "{\"ok\":true}" }))
            .route("/file/{name}", get(move |P(name): P<String>| {
                let d = d1.clone();
                async move {
                    let f = tokio::fs::File::open(d.join(name)).await.unwrap();
                    axum::body::Body::new(ReaderStream::new(f))
                }
            }))
            .route("/blob/{name}", put(move |P(name): P<String>, b: Bytes| {
                let d = d2.clone();
                async move {
                    tokio::task::spawn_blocking(move || {
                        let mut f = std::fs::File::create(d.join(name)).unwrap();
                        f.write_all(&b).unwrap();
                        f.sync_data().unwrap();
                    }).await.unwrap();
                    "ok"
                }
            }).layer(axum::extract::DefaultBodyLimit::disable()));
        let l = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        eprintln!("listening {port}");
        axum::serve(l, app).await.unwrap();
    });
}

/// Minimal file stream (256 KiB reads) so that no further crate is needed.
struct ReaderStream { rx: tokio::sync::mpsc::Receiver<std::io::Result<axum::body::Bytes>> }
impl ReaderStream {
    fn new(f: tokio::fs::File) -> Self {
        let (tx, rx) = tokio::sync::mpsc::channel(4);
        tokio::spawn(async move {
            let mut f = f.into_std().await;
            tokio::task::spawn_blocking(move || loop {
                let mut b = vec![0u8; 256 * 1024];
                match f.read(&mut b) {
                    Ok(0) => break,
                    Ok(k) => { b.truncate(k); if tx.blocking_send(Ok(b.into())).is_err() { break } }
                    Err(e) => { let _ = tx.blocking_send(Err(e)); break }
                }
            });
        });
        Self { rx }
    }
}
impl axum::body::HttpBody for ReaderStream {
    type Data = axum::body::Bytes;
    type Error = std::io::Error;
    fn poll_frame(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        self.rx.poll_recv(cx).map(|o| o.map(|r| r.map(http_body::Frame::data)))
    }
}

/// Best case for W1: one streamed NDJSON body (plain or zstd) -> parse head -> insert
/// (unique id + grid index) in one transaction, with the download on its own thread.
fn pipeline(base: &str, work: &Path, n: usize, rep: usize, file: &str) {
    let dir = work.join("pipe");
    fresh(&dir);
    let t = Instant::now();
    let mut c = open(&dir, "NORMAL");
    c.execute_batch(SCHEMA.iter().find(|s| s.0 == "rowid_uniq_grid").unwrap().1).unwrap();
    let url = format!("{base}/file/{file}");
    let z = file.ends_with(".zst");
    let (tx, rx) = std::sync::mpsc::sync_channel::<Vec<u8>>(8);
    let h = std::thread::spawn(move || {
        let r = ureq::get(&url).call().unwrap();
        let rd = r.into_body().into_reader();
        let mut rd: Box<dyn Read> = if z { Box::new(zstd::stream::read::Decoder::new(rd).unwrap()) } else { Box::new(rd) };
        let mut carry: Vec<u8> = Vec::new();
        loop {
            let mut buf = vec![0u8; 512 * 1024];
            let mut got = 0;
            while got < buf.len() {
                let k = rd.read(&mut buf[got..]).unwrap();
                if k == 0 { break }
                got += k;
            }
            buf.truncate(got);
            if got == 0 { if !carry.is_empty() { tx.send(std::mem::take(&mut carry)).unwrap(); } break }
            match buf.iter().rposition(|b| *b == b'\n') {
                Some(p) => {
                    let rest = buf[p + 1..].to_vec();
                    buf.truncate(p);
                    let mut m = std::mem::replace(&mut carry, rest);
                    m.extend_from_slice(&buf);
                    tx.send(m).unwrap();
                }
                None => carry.extend_from_slice(&buf),
            }
        }
    });
    let mut k = 0i64;
    let x = c.transaction().unwrap();
    {
        let mut st = x.prepare("INSERT INTO h(id,grid,body,seq) VALUES(?1,?2,?3,?4)").unwrap();
        while let Ok(chunk) = rx.recv() {
            let s = std::str::from_utf8(&chunk).unwrap();
            for l in s.split('\n') {
                if l.is_empty() { continue }
                let h: Head = serde_json::from_str(l).unwrap();
                k += 1;
                st.execute((&*h.id, &*h.grid, l, k)).unwrap();
            }
        }
    }
    x.commit().unwrap();
    h.join().unwrap();
    let s = t.elapsed().as_secs_f64();
    assert_eq!(k as usize, n);
    emit(&format!("pipeline_{}", if z { "zstd" } else { "plain" }), n, rep, s, json!({"client_peak_rss_mb": peak_mb(), "disk_bytes": disk(&dir)}));
}

/// Even cheaper: the server ships a ready-made SQLite file (zstd), the client writes it, fsyncs, opens, counts.
fn snapshot(base: &str, work: &Path, n: usize, rep: usize) {
    let dir = work.join("snap");
    fresh(&dir);
    let t = Instant::now();
    let r = ureq::get(&format!("{base}/file/snap-{n}.db.zst")).call().unwrap();
    let mut rd = zstd::stream::read::Decoder::new(r.into_body().into_reader()).unwrap();
    let mut f = std::fs::File::create(dir.join("t.db")).unwrap();
    let mut buf = vec![0u8; 1 << 20];
    loop {
        let k = rd.read(&mut buf).unwrap();
        if k == 0 { break }
        f.write_all(&buf[..k]).unwrap();
    }
    f.sync_data().unwrap();
    drop(f);
    let c = open(&dir, "NORMAL");
    let k: i64 = c.query_row("SELECT count(*) FROM h", [], |r| r.get(0)).unwrap();
    assert_eq!(k as usize, n);
    emit("snapshot_zstd", n, rep, t.elapsed().as_secs_f64(), json!({"client_peak_rss_mb": peak_mb(), "disk_bytes": disk(&dir)}));
}

/// Files that `pipeline` and `snapshot` download.
fn prep(data: &Path, out: &Path, n: usize) {
    std::fs::create_dir_all(out).unwrap();
    let mut all = lines(data, n).join("\n");
    all.push('\n');
    std::fs::write(out.join(format!("n{n}.ndjson")), &all).unwrap();
    let z = zstd::bulk::compress(all.as_bytes(), 3).unwrap();
    std::fs::write(out.join(format!("n{n}.ndjson.zst")), &z).unwrap();
    let dir = out.join("tmp");
    fresh(&dir);
    {
        let mut c = open(&dir, "NORMAL");
        c.execute_batch(SCHEMA.iter().find(|s| s.0 == "rowid_uniq_grid").unwrap().1).unwrap();
        let x = c.transaction().unwrap();
        for (k, l) in all.lines().enumerate() {
            let h: Head = serde_json::from_str(l).unwrap();
            x.prepare_cached("INSERT INTO h(id,grid,body,seq) VALUES(?1,?2,?3,?4)").unwrap().execute((&*h.id, &*h.grid, l, k as i64 + 1)).unwrap();
        }
        x.commit().unwrap();
        c.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE; VACUUM").unwrap();
    }
    let db = std::fs::read(dir.join("t.db")).unwrap();
    let zz = zstd::bulk::compress(&db, 3).unwrap();
    std::fs::write(out.join(format!("snap-{n}.db.zst")), &zz).unwrap();
    emit("prep", n, 0, 0.0, json!({"ndjson": all.len(), "ndjson_zst": z.len(), "db": db.len(), "db_zst": zz.len()}));
    let _ = std::fs::remove_dir_all(&dir);
}

/// Best case for W2: m upserts of existing rows sent as one zstd body cannot beat this:
/// m updates by unique id in one synchronous=FULL transaction over n rows.
fn upsert(data: &Path, work: &Path, n: usize, m: usize, rep: usize, per_tx: usize) {
    let ls = lines(data, n);
    let dir = work.join("upsert");
    fresh(&dir);
    let mut c = open(&dir, "FULL");
    c.execute_batch(SCHEMA.iter().find(|s| s.0 == "rowid_uniq_grid").unwrap().1).unwrap();
    let x = c.transaction().unwrap();
    for (k, l) in ls.iter().enumerate() {
        let h: Head = serde_json::from_str(l).unwrap();
        x.prepare_cached("INSERT INTO h(id,grid,body,seq) VALUES(?1,?2,?3,?4)").unwrap().execute((&*h.id, &*h.grid, l, k as i64 + 1)).unwrap();
    }
    x.commit().unwrap();
    c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let e: Vec<String> = BufReader::new(std::fs::File::open(data.join("edits.ndjson")).unwrap()).lines().take(m).map(|l| l.unwrap()).collect();
    let t = Instant::now();
    for chunk in e.chunks(per_tx) {
        let x = c.transaction().unwrap();
        for l in chunk {
            let h: Head = serde_json::from_str(l).unwrap();
            x.prepare_cached("UPDATE h SET body=?2, grid=?3 WHERE id=?1").unwrap().execute((&*h.id, l, &*h.grid)).unwrap();
        }
        x.commit().unwrap();
    }
    emit(&format!("sqlite_upsert_full_tx{per_tx}"), m, rep, t.elapsed().as_secs_f64(), json!({"base": n}));
}

fn main() {
    let a: Vec<String> = std::env::args().collect();
    let opt = |k: &str| a.iter().position(|x| x == k).and_then(|i| a.get(i + 1)).cloned();
    let data = PathBuf::from(opt("--data").unwrap_or("data".into()));
    let work = PathBuf::from(opt("--work").unwrap_or("work".into()));
    let n: usize = opt("--n").and_then(|x| x.parse().ok()).unwrap_or(20000);
    let reps: usize = opt("--reps").and_then(|x| x.parse().ok()).unwrap_or(3);
    let base = opt("--base").unwrap_or("http://127.0.0.1:7801".into());
    match a.get(1).map(|s| s.as_str()) {
        Some("sqlite") => {
            let only = opt("--variant");
            for rep in 0..reps {
                for (v, _) in SCHEMA {
                    if only.as_deref().map_or(false, |o| o != *v) { continue }
                    sqlite(&data, &work, n, rep, v, false, n);
                    if *v == "rowid_uniq_grid" {
                        sqlite(&data, &work, n, rep, v, true, n);
                        sqlite(&data, &work, n, rep, v, true, 1000);
                    }
                }
            }
        }
        Some("parse") => for rep in 0..reps { parse(&data, n, rep) },
        Some("compress") => for rep in 0..reps { compress(&data, n, rep) },
        Some("fsync") => for rep in 0..reps { fsync(&work, rep) },
        Some("pg") => for rep in 0..reps { pg(&data, &opt("--pg").unwrap(), n, rep) },
        Some("httpd") => httpd(work, opt("--port").and_then(|p| p.parse().ok()).unwrap_or(7801)),
        Some("proxy") => {
            let num = |k: &str| opt(k).and_then(|p| p.parse::<u64>().ok()).unwrap_or(0);
            link::proxy(num("--listen") as u16, num("--to") as u16, num("--rtt-ms"), num("--down-kbit"), num("--up-kbit"))
        }
        Some("floor-server") => floor::serve(work, &opt("--mode").unwrap(), opt("--port").unwrap().parse().unwrap()),
        Some("floor") => {
            let modes = opt("--mode").map_or(vec!["bare", "lean", "full"].into_iter().map(String::from).collect(), |m| vec![m]);
            let batch = opt("--batch").and_then(|x| x.parse().ok()).unwrap_or(0);
            for rep in 0..reps {
                for mode in &modes {
                    floor::run(&a[2], &data, &work, n, rep, mode, batch);
                }
            }
        }
        Some("prep") => prep(&data, &work, n),
        Some("pipeline") => for rep in 0..reps {
            pipeline(&base, &work, n, rep, &format!("n{n}.ndjson"));
            pipeline(&base, &work, n, rep, &format!("n{n}.ndjson.zst"));
        },
        Some("snapshot") => for rep in 0..reps { snapshot(&base, &work, n, rep) },
        Some("upsert") => for rep in 0..reps {
            for m in [1000usize, 20000] {
                upsert(&data, &work, n, m, rep, m);
                upsert(&data, &work, n, m, rep, 50);
            }
        },
        _ => {
            eprintln!("usage: limits sqlite|parse|compress|fsync|pg|httpd|proxy|floor|prep|pipeline|snapshot|upsert --data D --work W --n N --reps R [--base URL] [--pg URL]");
            std::process::exit(2);
        }
    }
}
