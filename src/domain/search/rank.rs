//! The order of what is found.

use super::query::SearchQuery;
use crate::domain::instant::Instant;

/// What a term is worth where it stands; it counts once, in its best place.
const IN_HEADLINE: f64 = 8.0;
const IN_LEAD: f64 = 3.0;
const IN_BODY: f64 = 1.0;
/// After how many days the worth of being new has halved.
pub const HALF_LIFE_DAYS: f64 = 30.0;
/// What is left of the score of an article however old it is.
const TIMELESS: f64 = 0.25;

const MILLIS_PER_DAY: f64 = 86_400_000.0;

/// Relevance times recency, in millionths. Relevance is the mean of what the terms are worth where they stand: 8 in the
/// headline, 3 in kicker and standfirst, 1 elsewhere. Recency is 1 at the publication and halves towards ¼ every
/// 30 days. `headline` and `lead` are folded words; the document fits the query.
pub fn score(query: &SearchQuery, headline: &str, lead: &str, published_at: Instant, at: Instant) -> i64 {
    let (headline, lead): (Vec<_>, Vec<_>) = (headline.split(' ').collect(), lead.split(' ').collect());
    let worth = |term: &super::Term| match () {
        () if term.is_in(&headline) => IN_HEADLINE,
        () if term.is_in(&lead) => IN_LEAD,
        () => IN_BODY,
    };
    let terms = u32::try_from(query.required.len().max(1)).map_or(1.0, f64::from);
    let relevance = query.required.iter().map(worth).sum::<f64>() / terms;
    let age = at.millis().saturating_sub(published_at.millis()).max(0);
    #[expect(clippy::cast_precision_loss, reason = "days of a century are exact enough")]
    let days = age as f64 / MILLIS_PER_DAY;
    let recency = TIMELESS + (1.0 - TIMELESS) * (-days / HALF_LIFE_DAYS).exp2();
    #[expect(clippy::cast_possible_truncation, reason = "at most eight million")]
    let score = (relevance * recency * 1_000_000.0).round() as i64;
    score
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_and_age_decide() {
        let query = SearchQuery::parse("harbour bridge").unwrap();
        let day = 86_400_000_i64;
        let now = Instant::from_millis(1_000 * day);
        let score_of = |headline, lead, age| {
            score(&query, headline, lead, Instant::from_millis((1_000_i64 - age) * day), now)
        };
        assert_eq!(score_of("the harbour bridge", "", 0), 8_000_000);
        assert_eq!(score_of("the harbour", "a bridge", 0), 5_500_000);
        assert_eq!(score_of("x", "y", 0), 1_000_000);
        assert_eq!(score_of("harbour bridge", "", 30), 8_000_000 * 5 / 8);
        // An old article about it comes before a new one that mentions it.
        assert!(score_of("harbour bridge", "", 900) > score_of("x", "y", 0));
        assert_eq!(score_of("x", "y", -5), 1_000_000);
    }
}
