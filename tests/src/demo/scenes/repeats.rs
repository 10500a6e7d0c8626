//! The network brings old requests once more.

use serde_json::Value;

use crate::Result;
use crate::stage::{Cast, Stage};

pub(super) async fn play(stage: &Stage<'_>, cast: &Cast) -> Result<()> {
    let (screen, wang) = (stage.screen, &cast.wang);
    screen.scene("网络又送来旧请求", "The network repeats what is long done");
    let old: Vec<_> = wang
        .line()
        .passed()
        .into_iter()
        .filter(|old| !old.request.body.is_empty())
        .collect();
    screen.tell(
        format!(
            "网络把王今天发过的 {} 个请求，改动和照片，又送了一遍。",
            old.len()
        ),
        format!(
            "All {} requests that Wang's phone sent today, changes and photos, arrive again.",
            old.len()
        ),
    );
    let before = commit(cast).await?;
    let mut answered = 0;
    for request in old.iter().rev() {
        answered += usize::from(wang.line().brings_again(request).await? < 500);
    }
    let after = commit(cast).await?;
    screen.check(
        answered == old.len() && before == after && before > 0,
        format!("服务器都认得，什么也没变：最后的提交仍是第 {after} 号"),
        format!("The server knows them all and nothing changed: its last commit is still {after}"),
    );
    Ok(())
}

async fn commit(cast: &Cast) -> Result<u64> {
    let health: Value = serde_json::from_slice(&cast.chen.gets("/v1/health").await?.body)?;
    // The lower half counts; the upper one names the history.
    Ok(health["commit"].as_u64().unwrap_or_default() & u64::from(u32::MAX))
}
