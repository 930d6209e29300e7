//! News that never happened, made of words.

use rand::{Rng, RngExt as _, seq::IndexedRandom as _};

const ADJECTIVES: &[&str] = &[
    "national",
    "local",
    "public",
    "private",
    "coastal",
    "northern",
    "southern",
    "regional",
    "independent",
    "temporary",
    "annual",
    "rural",
    "urban",
    "European",
    "financial",
    "historic",
    "medical",
    "digital",
    "industrial",
    "cultural",
    "new",
    "disputed",
    "long-awaited",
    "controversial",
    "early",
    "senior",
];

const ACTORS: &[&str] = &[
    "council",
    "government",
    "harbour authority",
    "court",
    "parliament",
    "union",
    "university",
    "hospital",
    "regulator",
    "commission",
    "police force",
    "ministry",
    "central bank",
    "committee",
    "museum",
    "city",
    "opposition",
    "charity",
    "rail operator",
    "energy company",
    "football club",
    "school board",
    "watchdog",
    "fire service",
    "chamber of commerce",
    "research institute",
    "housing association",
    "film festival",
];

const THINGS: &[&str] = &[
    "budget",
    "inquiry",
    "report",
    "strike",
    "election",
    "bridge",
    "contract",
    "deadline",
    "verdict",
    "plan",
    "merger",
    "flood defence",
    "tax cut",
    "vaccine programme",
    "reform",
    "timetable",
    "investment",
    "airport",
    "stadium",
    "archive",
    "appeal",
    "treaty",
    "referendum",
    "housing scheme",
    "wind farm",
    "data breach",
    "peace talks",
    "pay deal",
    "railway line",
    "emissions target",
    "exhibition",
    "ferry route",
];

const VERBS: &[&str] = &[
    "approves",
    "rejects",
    "delays",
    "defends",
    "reviews",
    "welcomes",
    "questions",
    "announces",
    "abandons",
    "expands",
    "suspends",
    "backs",
    "criticises",
    "revives",
    "postpones",
    "investigates",
    "wins",
    "loses",
];

const PAST: &[&str] = &[
    "approved",
    "rejected",
    "delayed",
    "defended",
    "reviewed",
    "welcomed",
    "questioned",
    "announced",
    "abandoned",
    "expanded",
    "suspended",
    "backed",
    "criticised",
    "revived",
    "postponed",
    "examined",
];

const PLACES: &[&str] = &[
    "the capital",
    "the north",
    "the south-west",
    "the old town",
    "the harbour district",
    "the valley",
    "the border region",
    "the islands",
    "the eastern suburbs",
    "the market quarter",
    "the lowlands",
    "the river basin",
    "Brussels",
    "Geneva",
    "Oslo",
    "Lisbon",
    "Nairobi",
    "Toronto",
    "Wellington",
    "Osaka",
];

const TIMES: &[&str] = &[
    "on Monday",
    "on Tuesday",
    "on Wednesday",
    "on Thursday",
    "on Friday",
    "over the weekend",
    "last month",
    "after months of talks",
    "before the summer recess",
    "at a packed meeting",
    "late in the evening",
    "for the first time in a decade",
    "despite warnings",
    "by a narrow margin",
    "without a vote",
];

const PEOPLE: &[&str] = &[
    "a spokesperson",
    "one resident",
    "the finance director",
    "an independent expert",
    "the mayor",
    "a former minister",
    "the lead researcher",
    "a shop owner",
    "the union representative",
    "a witness",
    "the head of the inquiry",
    "a local teacher",
];

const REMARKS: &[&str] = &[
    "We have waited long enough for an answer.",
    "Nobody should be surprised by these figures.",
    "This is a first step and not the last one.",
    "The numbers speak for themselves.",
    "People here remember what was promised.",
    "It will cost more to do nothing.",
    "We will read the report before we comment on it.",
    "There is still time to change course.",
    "The work starts now.",
    "I have never seen a meeting like it.",
];

const HEADINGS: &[&str] = &[
    "What happens next",
    "How we got here",
    "The cost",
    "Who decides",
    "What residents say",
    "The numbers",
    "A long dispute",
    "Reaction",
    "The wider picture",
    "Questions remain",
    "The background",
    "On the ground",
    "What the report says",
    "A change of plan",
    "The next vote",
    "Lessons from elsewhere",
];

const FIRST_NAMES: &[&str] = &[
    "Ada", "Bruno", "Chidi", "Dilys", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Keiko", "Liam",
    "Mira", "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Samir", "Tilda", "Uma", "Viktor", "Wanda",
    "Yusuf",
];

const LAST_NAMES: &[&str] = &[
    "Abara",
    "Bergström",
    "Castellano",
    "Dvořák",
    "Ekström",
    "Farrow",
    "Grange",
    "Haddad",
    "Ishikawa",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Pereira",
    "Quist",
    "Ramires",
    "Sørensen",
    "Tanaka",
    "Underhill",
    "Vasquez",
    "Whitlock",
    "Yilmaz",
    "Zeman",
];

fn one<'a>(rng: &mut impl Rng, words: &[&'a str]) -> &'a str {
    words.choose(rng).copied().unwrap_or_default()
}

/// The text with its first letter in upper case.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A headline.
pub(super) fn headline(rng: &mut impl Rng) -> String {
    let (actor, verb, adjective) = (capital(one(rng, ACTORS)), one(rng, VERBS), one(rng, ADJECTIVES));
    let thing = one(rng, THINGS);
    match rng.random_range(0..3) {
        0 => format!("{actor} {verb} {adjective} {thing}"),
        1 => format!("{actor} {verb} {adjective} {thing} in {}", one(rng, PLACES)),
        _ => format!("{actor} {verb} {thing} {}", one(rng, TIMES)),
    }
}

/// A sentence.
pub(super) fn sentence(rng: &mut impl Rng) -> String {
    let (adjective, actor, past) = (one(rng, ADJECTIVES), one(rng, ACTORS), one(rng, PAST));
    let (thing, time, place) = (one(rng, THINGS), one(rng, TIMES), one(rng, PLACES));
    match rng.random_range(0..5) {
        0 => format!("The {adjective} {actor} {past} the {thing} {time}."),
        1 => format!("{}, the {actor} {past} a {thing} for {place}.", capital(time)),
        2 => {
            let percent = rng.random_range(2..95);
            format!(
                "Figures from the {actor} show that {percent} per cent of those asked in {place} want the {thing} {past}."
            )
        }
        3 => {
            let person = one(rng, PEOPLE);
            format!(
                "The {thing}, which {person} in {place} described as <em>{adjective}</em>, was {past} {time}."
            )
        }
        _ => {
            let million = rng.random_range(2..900);
            format!(
                "It is the {adjective} {actor} that has to find {million} million for the {thing} in {place}."
            )
        }
    }
}

/// A sentence without markup.
pub(super) fn plain_sentence(rng: &mut impl Rng) -> String {
    sentence(rng).replace("<em>", "").replace("</em>", "")
}

/// A paragraph.
pub(super) fn paragraph(rng: &mut impl Rng) -> String {
    let count = rng.random_range(2..=5);
    (0..count).map(|_| sentence(rng)).collect::<Vec<_>>().join(" ")
}

/// What somebody says, and who.
pub(super) fn remark(rng: &mut impl Rng) -> (String, String) {
    let first = one(rng, REMARKS);
    (format!("{first} {}", one(rng, REMARKS)), capital(one(rng, PEOPLE)))
}

/// The heading of a section.
pub(super) fn heading(rng: &mut impl Rng) -> &'static str {
    one(rng, HEADINGS)
}

/// The name of a subject.
pub(super) fn subject(rng: &mut impl Rng) -> String {
    let adjective = capital(one(rng, ADJECTIVES));
    if rng.random_bool(0.5) {
        format!("{adjective} {}", one(rng, THINGS))
    } else {
        format!("{adjective} {}", one(rng, ACTORS))
    }
}

/// The name of a person.
pub(super) fn person(rng: &mut impl Rng) -> String {
    format!("{} {}", one(rng, FIRST_NAMES), one(rng, LAST_NAMES))
}
