"""The catalogue: what topics say, in SQL, for whoever asks questions. Tables, views, migrations, writing, reading."""
