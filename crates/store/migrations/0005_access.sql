-- What is known of an access beside its tokens: what was asked for, who signed in, how it is renewed.
ALTER TABLE connections ADD COLUMN access TEXT;
