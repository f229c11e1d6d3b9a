-- The write lock at once: a transaction that reads first could not get it later.
BEGIN IMMEDIATE
