"""How each kind of MongoEngine field is stored, read, shown and checked.

One value has four forms here:

- *value*: what :class:`bzz.shape.Kind` says, as bodies are read into;
- *bson*: what MongoDB holds;
- *attribute*: what an attribute of a MongoEngine document holds, and what a diff tells;
- *json*: what clients are shown.

A :class:`~bzz.providers.mongoengine.codecs.field.FieldCodec` converts the values of one declared field, a
:class:`~bzz.providers.mongoengine.codecs.document.DocumentCodec` those of one class. A new kind of field is one more
subclass of FieldCodec, registered for its field class by ``@converts``.
"""
