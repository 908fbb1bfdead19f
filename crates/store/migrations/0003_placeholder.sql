-- Holds the place of a migration that is written elsewhere; it changes nothing.
SELECT 1;
