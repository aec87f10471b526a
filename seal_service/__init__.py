"""电子印章服务: the electronic seal service of a city."""
