-- name: server_secret_by_name
-- row: secret
-- params: name text
-- columns: value text
SELECT value FROM server_secret WHERE name = :name

-- name: server_secret_insert
-- params: name text, value text, now int
-- dialect: default
INSERT INTO server_secret (name, value, created_at) VALUES (:name, :value, :now)
ON CONFLICT (name) DO NOTHING
-- dialect: mysql
INSERT INTO server_secret (name, value, created_at) VALUES (:name, :value, :now)
ON DUPLICATE KEY UPDATE name = VALUES(name)
