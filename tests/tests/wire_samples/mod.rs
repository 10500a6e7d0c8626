//! One sample of each message of wire 1, every field filled.

use serde_json::{Value, json};

const A: &str = "01890000-0000-7000-8000-00000000000a";
const B: &str = "01890000-0000-7000-8000-00000000000b";
const C: &str = "01890000-0000-7000-8000-00000000000c";

/// Returns all samples by name.
pub(crate) fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("request", request()),
        ("answer", answer()),
        ("frame", frame()),
        ("mutation", mutation()),
        (
            "enrol-request",
            json!({
                "code": "ABCD-EFGH-JKMN-PQRS", "secret_hash": hex(32), "device": "iPad", "schema": 1,
            }),
        ),
        (
            "enrol-again",
            json!({"secret_hash": hex(32), "first_mseq": 41, "schema": 1}),
        ),
        (
            "enrol-answer",
            json!({
                "enrolment": A, "user": B, "name": "王", "district": "610402", "epoch": 1,
                "grants": [format!("user:{B}"), "grid:610402001003001:general",
                    "grid:610402001003001:sensitive", "unit:U-municipal"],
                "certificate": certificate(), "bundle_key": hex(32), "sealing_key": hex(32),
            }),
        ),
        ("manifest", manifest()),
        (
            "signed-manifest",
            json!({"manifest": manifest(), "key_id": 1, "signature": hex(64)}),
        ),
        (
            "problem",
            json!({
                "type": "disk-full", "title": "服务器磁盘已满 · The disk is full", "status": 503,
                "retry_after_ms": 5000,
            }),
        ),
    ]
}

fn request() -> Value {
    json!({
        "proto": [1, 1], "enrolment": A,
        "echo": {"epoch": 1, "commit": 4_294_967_300_u64, "tag": hex(8), "mac": hex(16)},
        "settled_mseq": 6, "highest_mseq": 8,
        "pending": {"mutations": 2, "blobs": 1, "bytes": 20_000, "oldest": 1_795_392_000_000_i64},
        "now": {"wall": 1_795_392_000_000_i64, "boot": "b-1", "monotonic_ms": 3_600_000},
        "contact": contact(), "certificate": certificate(), "schema": 1,
        "pull": {
            "scopes": {
                "grid:610402001003001:general": {"cursor": "1.7.0123456789abcdef", "mode": "pages"},
                "grid:610402001003001:sensitive": {"mode": {"frames": {"after": key("person-sensitive")}}},
                "unit:U-municipal": {"mode": {"frames": {}}},
                (format!("user:{B}")): {"mode": {"pairs": {"after": key("parked")}}},
            },
            "want": [key("household")], "max_bytes": 1_048_576,
        },
        "mutations": [{"mid": B, "mseq": 7, "frozen": mutation()}],
        "proofs": [row()], "witness": [put("household")],
    })
}

fn answer() -> Value {
    json!({
        "asof": {"epoch": 1, "commit": 4_294_967_301_u64, "time": 1_795_392_000_000_i64},
        "tag": hex(8), "mac": hex(16), "contact": "1795392000000.0123456789abcdef",
        "received_mseq": 8, "out_of_order": 9, "receipts": [row()], "durable": 4_294_967_296_u64,
        "refused": "bad-cursor", "grants": [format!("user:{B}")], "bodies": [put("case")],
        "scopes": {"grid:610402001003001:general": {
            "entries": [
                {"put": put("household")},
                {"link": {"kind": "person", "id": A, "rev": 4_294_967_298_u64}},
                {"leave": {"kind": "visit", "id": B, "commit": 4_294_967_299_u64, "to": "grid:610402001003002:general"}},
                {"tomb": {"kind": "person", "id": C, "rev": 4_294_967_300_u64}},
            ],
            "cursor": "1.9.0123456789abcdef", "through": 4_294_967_301_u64, "caught_up": true,
            "digest": hex(16),
            "ranges": [{"from": key("household"), "to": key("visit"), "count": 3, "digest": hex(16)}],
            "total": 3,
        }},
        "wanted": [hex(32)], "forks": [{"after": 4_294_967_297_u64, "until": 4_294_967_299_u64}],
        "bundles": [{"unit": "610402001003", "version": 2, "manifest": hex(32)}],
        "minimum": {"pull": 1, "current": 1}, "clone": {"first_mseq": 4}, "retry_after_ms": 30_000,
    })
}

fn frame() -> Value {
    json!({
        "scope": "grid:610402001003001:general", "cursor": "1.9.0123456789abcdef",
        "commit": 4_294_967_301_u64, "rows": [put("household"), put("person")], "last": true,
    })
}

fn mutation() -> Value {
    json!({
        "schema": 1, "kind": "household", "id": A, "op": "patch", "seen": 4_294_967_298_u64,
        "deps": [C], "set": [{"path": "tenure", "was": "own", "to": "rent"}],
        "inc": {"knocks": 1}, "add": {"tags": ["party-home"]}, "remove": {"photos": [hex(32)]},
        "command": {"name": "move", "args": {"grid": "x"}, "expect": {"state": "standing", "turn": 1, "after": B}},
        "decide": {"choice": {"candidate": "base"}, "seen": ["base", B]},
        "replaces": {"mid": C, "turn": 2}, "later": {"hash": hex(32), "bytes": 70},
        "blobs": [hex(32)],
        "at": {"wall": 1_795_392_000_000_i64, "boot": "b-1", "monotonic_ms": 3_500_000, "contact": contact()},
    })
}

fn row() -> Value {
    json!({
        "enrolment": A, "epoch": 1, "commit": 4_294_967_300_u64, "received_at": 1_795_392_000_000_i64,
        "receipts": [
            {"mid": B, "mseq": 7, "check": hex(8), "outcome": "conflict", "rev": 4_294_967_300_u64,
             "fates": [{"path": "tenure", "fate": "behind", "against": C, "review": A}],
             "assigned": {"number": "QD-2026-000001"}},
            {"mid": C, "mseq": 8, "check": hex(8), "outcome": "rejected",
             "reason": {"bad-value": "tenure"}},
        ],
        "key_id": 1, "mac": hex(16),
    })
}

fn put(kind: &str) -> Value {
    json!({"kind": kind, "id": A, "rev": 4_294_967_298_u64, "schema": 1, "body": {"grid": "610402001003001"}})
}

fn key(kind: &str) -> Value {
    json!({"kind": kind, "id": A})
}

fn contact() -> Value {
    json!({"token": "1795392000000.0123456789abcdef", "boot": "b-1", "monotonic_ms": 3_400_000})
}

fn certificate() -> Value {
    json!({
        "enrolment": A, "user": B, "secret_hash": hex(32), "at": 1_795_392_000_000_i64, "key_id": 1,
        "signature": hex(64),
    })
}

fn manifest() -> Value {
    json!({
        "unit": "610402001003", "version": 2, "at": 1_795_392_000_000_i64,
        "parts": [{"part": "approval-items", "unit": "610402", "title": "便民审批事项",
            "hash": hex(32), "bytes": 1000, "articles": 76}],
    })
}

/// Bytes as hex, each one its place.
fn hex(bytes: u8) -> String {
    (0..bytes).map(|byte| format!("{byte:02x}")).collect()
}
