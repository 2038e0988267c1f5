# ヘルプセンター：問い合わせ、経過の確認、自分のデータ。
help-navigation = ヘルプセンター
help-requests = お問い合わせ一覧
help-new = 問い合わせる
help-data = お客様のデータ
help-none = まだお問い合わせはありません。
help-number = 番号 { $number }
help-pages = ページ
help-newest = 最新
help-older = 以前のもの
help-earlier = 以前のやり取りを表示
help-mend = 次の項目を修正してください
help-subject = 件名
help-subject-blank = 内容を短くご記入ください
help-body = お問い合わせ内容
help-body-hint = 行った操作、期待した結果、実際に起きたことをご記入ください。
help-body-blank = 内容をご記入ください
help-reply = 返信
help-solved = 解決しました
help-send = 送信
help-you = あなた
help-files = 添付ファイル
help-is-closed = このお問い合わせは終了しており、返信できません。
help-status-open = 対応中
help-status-pending = お客様の返信待ち
help-status-solved = 解決済み
help-status-closed = 終了
help-data-where = データは { $region }（管轄：{ $jurisdiction }）にのみ保存されています。
help-data-name = 氏名
help-data-verified = 確認済み
help-data-since = 登録日
help-data-take = データの取得
help-data-take-what = プロフィール、お問い合わせ、および閲覧できるやり取りのすべてを JSON 形式で取得できます。
help-data-file = ファイル { $part } / { $parts }
help-erasure = データの消去
help-erasure-what = お客様に関するデータの消去をデスクに依頼します。消去された内容と、保持が必要な内容およびその理由をお知らせします。
help-erasure-ask = 消去を依頼する
help-erasure-subject = 私に関するデータの消去をお願いします
help-erasure-body = 貴社が保有する私の個人データの消去を求めます（GDPR 第17条、または私に適用される法律に基づきます）。消去された内容と、保持が必要な内容およびその理由をお知らせください。
help-data-requests =
    { $count ->
       *[other] { $count } 件
    }
