RELEASE rota_op
