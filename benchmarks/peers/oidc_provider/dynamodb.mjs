// The storage that node-oidc-provider asks its user for, on one table of DynamoDB, done with care: consistent reads,
// a token consumed once by a condition, expiry compared here. What only a browser's flow needs is not there.
import { ConditionalCheckFailedException, DynamoDBClient, CreateTableCommand, ResourceInUseException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';

const now = () => Math.floor(Date.now() / 1000);

export async function dynamoAdapter(table) {
  const client = new DynamoDBClient({});
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  try {
    await client.send(new CreateTableCommand({ TableName: table, BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }], AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }] }));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }

  return class {
    constructor(name) {
      this.name = name;
    }

    key(id) {
      return { id: `${this.name}:${id}` };
    }

    async upsert(id, payload, expiresIn) {
      const expires = expiresIn ? { expires_at: now() + expiresIn } : {};
      await documents.send(new PutCommand({ TableName: table, Item: { ...this.key(id), payload, ...expires } }));
    }

    async find(id) {
      const { Item: item } = await documents.send(new GetCommand({ TableName: table, Key: this.key(id), ConsistentRead: true }));
      if (!item || (item.expires_at && item.expires_at <= now())) return undefined;
      return item.spent ? { ...item.payload, consumed: item.spent } : item.payload;
    }

    async consume(id) {
      try {
        await documents.send(new UpdateCommand({ TableName: table, Key: this.key(id), UpdateExpression: 'SET spent = :now',
          ConditionExpression: 'attribute_exists(id) AND attribute_not_exists(spent)', ExpressionAttributeValues: { ':now': now() } }));
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) throw new Error('this token was used before');
        throw error;
      }
    }

    async destroy(id) {
      await documents.send(new DeleteCommand({ TableName: table, Key: this.key(id) }));
    }

    async revokeByGrantId() {
      throw new Error('not needed here');
    }

    async findByUid() {
      throw new Error('not needed here');
    }

    async findByUserCode() {
      throw new Error('not needed here');
    }
  };
}
