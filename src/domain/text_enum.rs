//! Enums that are stored and shown as words.

/// Gives an enum its words: `ALL`, `as_str`, `Display` and `FromStr`. Serde and OpenAPI derive the same words by
/// `rename_all`. Reading a word that the enum does not have is a fault of the database, so its error is internal.
macro_rules! text_enum {
    ($name:ident { $($variant:ident $word:literal),+ $(,)? }) => {
        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it is stored and shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::error::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::domain::error::Error::internal(stringify!($name), format!("unknown value {text:?}"))),
                }
            }
        }
    };
}

pub(super) use text_enum;
