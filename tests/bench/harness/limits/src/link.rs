//! A TCP link with a round-trip time and a rate: listens on `listen`, forwards to `to`.
//! rtt_ms is split over the two directions; a new connection pays one more round trip (the TCP
//! handshake, which a local accept would hide). Counters as JSON on `listen`+1: bytes up and down,
//! connections, and turns (times a client sent after it had been answered, its first send included:
//! the round trips the exchange needs).
use serde_json::json;
use std::io::Write;

pub fn proxy(listen: u16, to: u16, rtt_ms: u64, down_kbit: u64, up_kbit: u64) {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    #[derive(Default)]
    struct Cnt { up: AtomicU64, down: AtomicU64, conns: AtomicU64, turns: AtomicU64 }
    type Free = Arc<tokio::sync::Mutex<tokio::time::Instant>>;
    async fn pump(mut r: tokio::net::tcp::OwnedReadHalf, mut w: tokio::net::tcp::OwnedWriteHalf, half: Duration, first: Duration, kbit: u64, free: Free, seen: impl Fn(usize)) {
        let (tx, mut rx) = tokio::sync::mpsc::channel::<(tokio::time::Instant, Vec<u8>)>(256);
        let wt = tokio::spawn(async move {
            while let Some((at, b)) = rx.recv().await {
                tokio::time::sleep_until(at).await;
                if w.write_all(&b).await.is_err() { return }
            }
            let _ = w.shutdown().await;
        });
        let mut buf = vec![0u8; 16 * 1024];
        let mut extra = first;
        loop {
            let k = match r.read(&mut buf).await { Ok(0) | Err(_) => break, Ok(k) => k };
            seen(k);
            let mut at = tokio::time::Instant::now() + extra;
            extra = Duration::ZERO;
            if kbit > 0 {
                // the link is shared by all connections of a direction
                let mut f = free.lock().await;
                let start = (*f).max(at);
                *f = start + Duration::from_micros(k as u64 * 8000 / kbit);
                at = *f;
            }
            if tx.send((at + half, buf[..k].to_vec())).await.is_err() { break }
        }
        drop(tx);
        let _ = wt.await;
    }
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.block_on(async move {
        let c = Arc::new(Cnt::default());
        let l = tokio::net::TcpListener::bind(("127.0.0.1", listen)).await.unwrap();
        let ctl = tokio::net::TcpListener::bind(("127.0.0.1", listen + 1)).await.unwrap();
        let cc = c.clone();
        tokio::spawn(async move {
            loop {
                let (mut s, _) = ctl.accept().await.unwrap();
                let mut b = [0u8; 1024];
                let _ = s.read(&mut b).await;
                let j = json!({"up": cc.up.load(Relaxed), "down": cc.down.load(Relaxed), "conns": cc.conns.load(Relaxed), "turns": cc.turns.load(Relaxed)}).to_string();
                let _ = s.write_all(format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{j}", j.len()).as_bytes()).await;
            }
        });
        println!("READY");
        let _ = std::io::stdout().flush();
        let now = tokio::time::Instant::now();
        let (fu, fd): (Free, Free) = (Arc::new(tokio::sync::Mutex::new(now)), Arc::new(tokio::sync::Mutex::new(now)));
        let half = Duration::from_micros(rtt_ms * 500);
        loop {
            let (a, _) = l.accept().await.unwrap();
            let (c, fu, fd) = (c.clone(), fu.clone(), fd.clone());
            tokio::spawn(async move {
                let Ok(b) = tokio::net::TcpStream::connect(("127.0.0.1", to)).await else { return };
                let _ = (a.set_nodelay(true), b.set_nodelay(true));
                c.conns.fetch_add(1, Relaxed);
                let (ar, aw) = a.into_split();
                let (br, bw) = b.into_split();
                let answered = Arc::new(std::sync::atomic::AtomicBool::new(true));
                let (c1, c2, a1, a2) = (c.clone(), c.clone(), answered.clone(), answered);
                let up = pump(ar, bw, half, half * 2, up_kbit, fu, move |k| { c1.up.fetch_add(k as u64, Relaxed); if a1.swap(false, Relaxed) { c1.turns.fetch_add(1, Relaxed); } });
                let down = pump(br, aw, half, Duration::ZERO, down_kbit, fd, move |k| { c2.down.fetch_add(k as u64, Relaxed); a2.store(true, Relaxed); });
                tokio::join!(up, down);
            });
        }
    });
}
