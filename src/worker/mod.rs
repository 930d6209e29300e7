//! Background loops: what happens by itself when its time has come.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::service::{Newsroom, articles, auth};

/// How long after its instant a transition is recorded at most. Readers see it at the instant itself.
const TICK: Duration = Duration::from_secs(1);

/// How often what has ended is removed, in ticks.
const CLEAN_UP: u64 = 600;

/// Records due transitions, and removes sessions and other things that have ended, for as long as the process lives. Any number of nodes may do so at once.
pub async fn run(newsroom: Newsroom) {
    let mut ticks = interval(TICK);
    // After a pause of the machine there is one thing to do, not one for each second of it.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut count = 0_u64;
    loop {
        ticks.tick().await;
        if count.is_multiple_of(CLEAN_UP)
            && let Err(error) = auth::clean_up(&newsroom).await
        {
            tracing::warn!(%error, "cannot remove what has ended");
        }
        count += 1;
        match articles::settle_due(&newsroom).await {
            Ok(0) => {}
            Ok(articles) => tracing::info!(articles, "recorded what became due"),
            // It is tried again at the next tick.
            Err(error) => tracing::warn!(%error, "cannot record what became due"),
        }
    }
}
