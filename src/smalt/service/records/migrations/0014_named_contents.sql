-- Other clients store under a hash of their own, which smalt cannot compare with a content.

ALTER TABLE content_stamps ADD COLUMN is_named INTEGER NOT NULL DEFAULT 0;  -- its folder's name is smalt's id of it
