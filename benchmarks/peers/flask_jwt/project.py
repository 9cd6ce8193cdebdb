"""The hand-rolled stack, done with care: Flask, flask-jwt-extended and boto3 on DynamoDB, refresh tokens that rotate
and can be revoked (an item a token), argon2id with our parameters."""

import os
import uuid

import boto3
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from botocore.config import Config
from botocore.exceptions import ClientError
from flask import Flask, abort, jsonify, request
from flask_jwt_extended import (
    JWTManager,
    create_access_token,
    create_refresh_token,
    get_jwt,
    get_jwt_identity,
    jwt_required,
)

app = Flask(__name__)
app.config.update(JWT_SECRET_KEY="not-a-secret-but-long-enough-for-hs256", JWT_ACCESS_TOKEN_EXPIRES=3600)
JWTManager(app)
hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
dynamodb = boto3.resource("dynamodb", config=Config(max_pool_connections=32))
users, tokens = dynamodb.Table(os.environ["BENCH_USERS"]), dynamodb.Table(os.environ["BENCH_TOKENS"])


def create_tables():
    for table, key in ((users, "email"), (tokens, "jti")):
        try:
            dynamodb.create_table(
                TableName=table.name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceInUseException":
                raise


def spend(jti):
    """The check is the write: of two who present one token, one is refused."""
    try:
        tokens.update_item(
            Key={"jti": jti},
            UpdateExpression="SET used = :yes",
            ConditionExpression="used = :no",
            ExpressionAttributeValues={":yes": True, ":no": False},
        )
    except ClientError:
        abort(401)


def issue(subject):
    jti = str(uuid.uuid4())
    refresh = create_refresh_token(subject, additional_claims={"id": jti})
    tokens.put_item(Item={"jti": jti, "sub": subject, "used": False}, ConditionExpression="attribute_not_exists(jti)")
    return jsonify(access=create_access_token(subject), refresh=refresh)


@app.post("/register")
def register():
    body = request.get_json()
    users.put_item(
        Item={"email": body["username"], "id": str(uuid.uuid4()), "hash": hasher.hash(body["password"])},
        ConditionExpression="attribute_not_exists(email)",
    )
    return "", 201


@app.post("/login")
def login():
    body = request.get_json()
    user = users.get_item(Key={"email": body["username"]}, ConsistentRead=True).get("Item")
    try:
        hasher.verify(user["hash"] if user else "", body["password"])
    except VerifyMismatchError:
        abort(401)
    return issue(user["id"])


@app.post("/refresh")
@jwt_required(refresh=True)
def refresh():
    spend(get_jwt()["id"])
    return issue(get_jwt_identity())


@app.post("/logout")
@jwt_required(refresh=True)
def logout():
    spend(get_jwt()["id"])
    return "", 204


@app.get("/me")
@jwt_required()
def me():
    return jsonify(subject=get_jwt_identity())


create_tables()
