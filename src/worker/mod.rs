//! Background loops: what happens by itself when its time has come.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::service::{Newsroom, articles};

/// How long after its instant a transition is recorded at most. Readers see it at the instant itself.
const TICK: Duration = Duration::from_secs(1);

/// Records due transitions for as long as the process lives. Any number of nodes may do so at once.
pub async fn run(newsroom: Newsroom) {
    let mut ticks = interval(TICK);
    // After a pause of the machine there is one thing to do, not one for each second of it.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match articles::settle_due(&newsroom).await {
            Ok(0) => {}
            Ok(articles) => tracing::info!(articles, "recorded what became due"),
            // It is tried again at the next tick.
            Err(error) => tracing::warn!(%error, "cannot record what became due"),
        }
    }
}
