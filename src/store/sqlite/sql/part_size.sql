-- ?1 id. Primary key; length() reads no content.
SELECT length(data) FROM rota_part WHERE id = ?1
