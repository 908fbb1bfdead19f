-- Each feed has its own pace on screen, and may leave transports out.

-- ---------------------------------------------------------------- state, never dropped

-- `refresh_ms`: what moves by this feed's events is drawn anew at most once in so many ms; NULL as the window's setting
-- says. `transport` holds since then all that may be used, by commas; one alone is the only one, as before.
ALTER TABLE feed ADD COLUMN refresh_ms INTEGER;
