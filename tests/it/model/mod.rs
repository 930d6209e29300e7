//! A newsroom at work, against a model that knows the rules in a page: whatever editors do in whatever order, readers see
//! what they are to see, at every instant, whether or not anybody records what became due.

mod check;
mod play;
mod rules;

use proptest::{
    prelude::*,
    test_runner::{Config, TestError, TestRunner},
};

use self::{
    play::{Act, Play, Step},
    rules::Who,
};
use crate::app::TestApp;

/// Sequences of a run; `PROPTEST_CASES` sets another number.
const CASES: u32 = 8;
/// Steps of a sequence.
const STEPS: std::ops::Range<usize> = 20..60;

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![1 => Just(Who::Contributor), 2 => Just(Who::Author), 5 => Just(Who::Editor)]
}

fn act() -> impl Strategy<Value = Act> {
    let slug = || prop::option::weighted(0.4, 0..4usize);
    let until = prop::option::weighted(0.3, -1..4i64);
    prop_oneof![
        2 => (slug(), prop::bool::weighted(0.8)).prop_map(|(slug, whole)| Act::Create { slug, whole }),
        6 => (slug(), any::<bool>(), prop::option::weighted(0.5, prop::bool::weighted(0.9)), prop::option::of(0..3usize))
            .prop_map(|(slug, headline, text, section)| Act::Edit { slug, headline, text, section }),
        8 => (prop::option::of(-1..4i64), until).prop_map(|(at, until)| Act::Publish { at, until }),
        1 => Just(Act::Take("submit")),
        1 => Just(Act::Take("return")),
        2 => Just(Act::Take("unschedule")),
        2 => Just(Act::Take("unpublish")),
        2 => Just(Act::Take("discard")),
        1 => Just(Act::Take("retract")),
        1 => Just(Act::Take("archive")),
        2 => Just(Act::Take("reopen")),
        1 => Just(Act::SavePoint),
        2 => (0..6usize).prop_map(|number| Act::Restore { number }),
        1 => Just(Act::Delete),
        1 => (0..3usize).prop_map(|section| Act::Rename { section }),
        1 => prop::option::of(0..2usize).prop_map(|under| Act::Move { under }),
        5 => (1..4i64).prop_map(|units| Act::Wait { units }),
        1 => Just(Act::Record),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    (who(), 0..4usize, prop::bool::weighted(0.06), act()).prop_map(|(who, on, stale, act)| Step {
        who,
        on,
        stale,
        act,
    })
}

#[test]
fn readers_see_what_the_rules_say() {
    let system = actix_web::rt::System::new();
    // Days pass within a sequence.
    let app = system.block_on(TestApp::start_with_tokens_for(1_000_000));
    let cases = std::env::var("PROPTEST_CASES").map_or(CASES, |number| number.parse().unwrap());
    let config = Config { cases, max_shrink_time: 60_000, failure_persistence: None, ..Config::default() };
    let sequences = (any::<bool>(), prop::collection::vec(step(), STEPS));
    let result = TestRunner::new(config).run(&sequences, |(records, steps)| {
        system.block_on(async {
            let mut play = Play::begin(&app, records).await;
            for (index, step) in steps.iter().enumerate() {
                play.step(index, step).await;
            }
            play.end().await;
        });
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, (records, steps))) => {
            let steps: String = steps.iter().map(|step| format!("    {step}\n")).collect();
            let worker = if records { "on after each step" } else { "off" };
            panic!("with the worker {worker},\n{steps}{reason}");
        }
        Err(error) => panic!("{error}"),
    }
}
