ROLLBACK TO rota_op
