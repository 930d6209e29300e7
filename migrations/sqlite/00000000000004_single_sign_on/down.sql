DROP TABLE sign_on_codes;
DROP TABLE sign_on_attempts;
DROP TABLE identities;
