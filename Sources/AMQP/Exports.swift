@_exported public import AMQPValues
