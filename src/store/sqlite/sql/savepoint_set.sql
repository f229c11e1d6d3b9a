SAVEPOINT rota_op
