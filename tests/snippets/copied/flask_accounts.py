"""Accounts of a Flask site, as they are commonly kept in DynamoDB. Faults included: see docs/why-not-the-snippet.md."""

from __future__ import annotations

import uuid

from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError
from flask import Flask, jsonify, request
from werkzeug.security import check_password_hash, generate_password_hash

METHOD = "pbkdf2:sha256:1000"


def create_app(users):
    app = Flask(__name__)

    @app.post("/register")
    def register():
        body = request.get_json()
        try:
            users.put_item(
                Item={
                    "user_id": str(uuid.uuid4()),
                    "email": body["email"],
                    "password": generate_password_hash(body["password"], method=METHOD),
                },
                ConditionExpression="attribute_not_exists(email)",
            )
        except ClientError:
            return jsonify(error="e-mail already registered"), 409
        return jsonify(ok=True), 201

    @app.post("/login")
    def login():
        body = request.get_json()
        found = users.query(IndexName="email-index", KeyConditionExpression=Key("email").eq(body["email"]))
        for user in found["Items"]:
            if check_password_hash(user["password"], body["password"]):
                return jsonify(user_id=user["user_id"])
        return jsonify(error="wrong e-mail or password"), 401

    @app.post("/users/<user_id>/password")
    def change_password(user_id):
        users.update_item(
            Key={"user_id": user_id},
            UpdateExpression="SET password = :p",
            ExpressionAttributeValues={":p": generate_password_hash(request.get_json()["password"], method=METHOD)},
        )
        return jsonify(ok=True)

    return app


def create_table(dynamodb, name):
    table = dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "user_id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "user_id", "AttributeType": "S"},
            {"AttributeName": "email", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "email-index",
                "KeySchema": [{"AttributeName": "email", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    table.wait_until_exists()
    return table
